import { canonicalAddress, NO_ACCOUNT, ZERO_ADDRESS } from '../address';
import { transactionWith, written } from '../testing/translation';
import { currencyAt, depositOf } from './coins';

const hex = (text: string): string => `0x${Buffer.from(text).toString('hex')}`;
const info = (module_name: string, struct_name: string) => ({
  account_address: '0x1',
  module_name,
  struct_name,
});

describe('a currency', () => {
  it.each([
    ['APT as a coin', '0x1::aptos_coin::AptosCoin', ZERO_ADDRESS],
    ['APT as an asset', '0xa', ZERO_ADDRESS],
    ['an asset', { inner: '0xbeef' }, canonicalAddress('0xbeef')],
    ['a coin', '0x2::usd::USD', `${canonicalAddress('0x2')}::usd::USD`],
    [
      'a coin of coins',
      '0x2::lp::LP<0x1::a::A, 0x3::b::B>',
      `${canonicalAddress('0x2')}::lp::LP<${canonicalAddress('0x1')}::a::A,${canonicalAddress('0x3')}::b::B>`,
    ],
    ['a coin by its type’s names in hex', info(hex('aptos_coin'), hex('AptosCoin')), ZERO_ADDRESS],
    ['a coin by its type’s names', info('usd', 'USD'), `${canonicalAddress('0x1')}::usd::USD`],
    ['an asset’s address', canonicalAddress('0xbeef'), canonicalAddress('0xbeef')],
  ])('is %s', (_what, value, expected) => {
    expect(currencyAt(value, 'coin')).toBe(expected);
  });

  it.each([
    ['no type', 'usd::USD'],
    ['a type that no table can hold as it is', '0x2::usd::U\tSD'],
    ['a name that is none', info(hex('usd\\'), hex('USD'))],
    ['a name of too many parts', info(hex('a::b'), hex('USD'))],
    ['no text', 5],
  ])('is not %s', (_what, value) => {
    expect(() => currencyAt(value, 'coin')).toThrow(expect.objectContaining({ code: 'EVENT_DECODE' }));
  });
});

describe('a deposit', () => {
  const owned = written('0x5709', '0x1::object::ObjectCore', { owner: '0xa1' });
  const of = (type: string, data: object, account?: string) => {
    const event = { type, data: data as never, ...(account === undefined ? {} : { account }) };
    const transaction = transactionWith(1n, [event], [owned]);
    return depositOf(transaction.events[0] as never, transaction);
  };
  const deposit = { account: canonicalAddress('0xa1'), amount: 5n };

  it('is told by events of handles and of modules, and of assets by who owns the store', () => {
    expect(of('0x1::coin::DepositEvent', { amount: '5' }, '0xa1')).toEqual(deposit);
    expect(of('0x1::coin::CoinDeposit', { account: '0xa1', amount: '5', coin_type: 'x' })).toEqual(deposit);
    expect(of('0x1::fungible_asset::Deposit', { store: '0x5709', amount: '5' })).toEqual(deposit);
  });

  it('is not known of a store that the transaction did not write, and not seen in other events', () => {
    expect(of('0x1::fungible_asset::Deposit', { store: '0x5710', amount: '5' })).toBeNull();
    expect(of('0x1::coin::WithdrawEvent', { amount: '5' }, NO_ACCOUNT)).toBeNull();
  });
});
