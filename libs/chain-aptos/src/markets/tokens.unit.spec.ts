import type { BalanceRow, MarketActivity, MarketRow, TokenRow } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { foldEvents, transactionWith, translateTransactions, written } from '../testing/translation';
import type { AptosChange } from '../transaction';
import { objectOf, splitV1TokenId, v1Token } from './tokenIds';
import { tokens } from './tokens';

const market = tokens.at('0x3');

const CREATOR = canonicalAddress('0xc4');
const ALICE = canonicalAddress('0xa1');
const BOB = canonicalAddress('0xb0');
const OBJECT = canonicalAddress('0x0b1');
const COLLECTION = canonicalAddress('0xc0');
const dataId = { creator: '0xc4', collection: 'Things', name: 'Thing' };
const id = (version = '0') => ({ property_version: version, token_data_id: dataId });
const names = { creator: CREATOR, collection: 'Things', name: 'Thing' };

/** The same event from a handle and from the module. */
const forms = [
  [
    'handles',
    {
      deposit: (account: string, amount = '1', version = '0') => ({
        type: '0x3::token::DepositEvent',
        account,
        data: { amount, id: id(version) },
      }),
      withdraw: (account: string, amount = '1', version = '0') => ({
        type: '0x3::token::WithdrawEvent',
        account,
        data: { amount, id: id(version) },
      }),
      mint: (amount = '1') => ({
        type: '0x3::token::MintTokenEvent',
        account: CREATOR,
        data: { amount, id: dataId },
      }),
      burn: (account: string, amount = '1') => ({
        type: '0x3::token::BurnTokenEvent',
        account,
        data: { amount, id: id() },
      }),
      claimed: (account: string, to: string) => ({
        type: '0x3::token_transfers::TokenClaimEvent',
        account,
        data: { amount: '1', to_address: to, token_id: id() },
      }),
      offered: (account: string, to: string) => ({
        type: '0x3::token_transfers::TokenOfferEvent',
        account,
        data: { amount: '1', to_address: to, token_id: id() },
      }),
      mutated: (account: string) => ({
        type: '0x3::token::MutateTokenPropertyMapEvent',
        account,
        data: { old_id: id(), new_id: id('1') },
      }),
      minted: () => ({
        type: '0x4::collection::MintEvent',
        account: COLLECTION,
        data: { index: '1', token: '0xb1' },
      }),
      burned: () => ({
        type: '0x4::collection::BurnEvent',
        account: COLLECTION,
        data: { index: '1', token: '0xb1' },
      }),
      moved: (from: string, to: string) => ({
        type: '0x1::object::TransferEvent',
        account: OBJECT,
        data: { from, object: '0xb1', to },
      }),
    },
  ],
  [
    'modules',
    {
      deposit: (account: string, amount = '1', version = '0') => ({
        type: '0x3::token::TokenDeposit',
        data: { account, amount, id: id(version) },
      }),
      withdraw: (account: string, amount = '1', version = '0') => ({
        type: '0x3::token::TokenWithdraw',
        data: { account, amount, id: id(version) },
      }),
      mint: (amount = '1') => ({ type: '0x3::token::Mint', data: { amount, creator: '0xc4', id: dataId } }),
      burn: (account: string, amount = '1') => ({
        type: '0x3::token::Burn',
        data: { account, amount, id: id() },
      }),
      claimed: (account: string, to: string) => ({
        type: '0x3::token_transfers::Claim',
        data: { account, amount: '1', to_address: to, token_id: id() },
      }),
      offered: (account: string, to: string) => ({
        type: '0x3::token_transfers::Offer',
        data: { account, amount: '1', to_address: to, token_id: id() },
      }),
      mutated: (account: string) => ({
        type: '0x3::token::MutatePropertyMap',
        data: { account, old_id: id(), new_id: id('1') },
      }),
      minted: () => ({
        type: '0x4::collection::Mint',
        data: { collection: '0xc0', index: { value: '1' }, token: '0xb1' },
      }),
      burned: () => ({
        type: '0x4::collection::Burn',
        data: { collection: '0xc0', index: '1', previous_owner: BOB, token: '0xb1' },
      }),
      moved: (from: string, to: string) => ({
        type: '0x1::object::Transfer',
        data: { from, object: '0xb1', to },
      }),
    },
  ],
] as const;

const lines = (activities: readonly MarketActivity[]) =>
  activities.map(({ kind, from, to, quantity }) => [kind, from, to, quantity]);
const tokenWritten = written('0xb1', '0x4::token::Token', {
  collection: { inner: '0xc0' },
  name: 'Loony',
  description: 'd',
  uri: 'u',
});
const fold = (...told: Parameters<typeof transactionWith>[1][]) =>
  foldEvents(
    translateTransactions(
      [market],
      told.map((events, i) => transactionWith(BigInt(i + 1), events, [tokenWritten])),
    ),
  );
const balances = (rows: readonly MarketRow[]) =>
  rows
    .filter((row): row is BalanceRow => row.table === 'balances')
    .map((row) => [row.owner, splitV1TokenId(row.tokenId).version, row.quantity]);

describe.each(forms)('tokens of the first standard, by events of %s', (_form, told) => {
  it('are minted to whom they are deposited', () => {
    const { rows, activities } = fold([told.mint('3'), told.deposit(ALICE, '3')]);
    expect(lines(activities)).toEqual([['MINT', ZERO_ADDRESS, ALICE, 3n]]);
    expect(balances(rows)).toEqual([[ALICE, 0n, 3n]]);
  });

  it('go from one owner to another in one activity', () => {
    const { rows, activities } = fold(
      [told.mint(), told.deposit(ALICE)],
      [told.withdraw(ALICE), told.deposit(BOB)],
    );
    expect(lines(activities)).toEqual([
      ['MINT', ZERO_ADDRESS, ALICE, 1n],
      ['TRANSFER', ALICE, BOB, 1n],
    ]);
    expect(balances(rows)).toEqual([
      [ALICE, 0n, 0n],
      [BOB, 0n, 1n],
    ]);
  });

  it('go into a contract and come out of it without a second owner', () => {
    const { activities } = fold([told.withdraw(ALICE)], [told.deposit(BOB)]);
    expect(lines(activities)).toEqual([
      ['TRANSFER', ALICE, null, 1n],
      ['TRANSFER', null, BOB, 1n],
    ]);
  });

  it('are burned out of the hands of their owner', () => {
    const { activities } = fold([told.withdraw(ALICE, '2'), told.burn(ALICE, '2')]);
    expect(lines(activities)).toEqual([['BURN', ALICE, ZERO_ADDRESS, 2n]]);
  });

  it('become another edition when their properties are changed', () => {
    const { rows, activities } = fold([
      told.withdraw(ALICE),
      told.deposit(ALICE, '1', '1'),
      told.mutated(ALICE),
    ]);
    expect(lines(activities)).toEqual([
      ['BURN', ALICE, ZERO_ADDRESS, 1n],
      ['MINT', ZERO_ADDRESS, ALICE, 1n],
    ]);
    expect(balances(rows)).toEqual([
      [ALICE, 0n, -1n],
      [ALICE, 1n, 1n],
    ]);
  });

  it('are offered and claimed', () => {
    const { rows, activities } = fold(
      [told.withdraw(ALICE), told.offered(ALICE, BOB)],
      [told.deposit(BOB), told.claimed(ALICE, BOB)],
    );
    expect(rows.find((row) => row.table === 'claims')).toMatchObject({
      sender: ALICE,
      receiver: BOB,
      status: 'CLAIMED',
      quantity: 0n,
    });
    expect(lines(activities)).toEqual([
      ['TRANSFER', ALICE, null, 1n],
      ['TOKEN_OFFER', ALICE, BOB, 1n],
      ['TRANSFER', null, BOB, 1n],
      ['TOKEN_CLAIM', ALICE, BOB, 1n],
    ]);
  });

  it('parks one of which a field is missing, and the others are told', () => {
    const broken = { ...told.deposit(ALICE), data: { amount: '1' } };
    expect(() => fold([broken])).toThrow(expect.objectContaining({ code: 'EVENT_DECODE' }));
    const transaction = transactionWith(1n, [broken, told.deposit(BOB)]);
    const emitted: string[] = [];
    market.translate(transaction.events[1] as never, transaction, (_type, _id, name) => emitted.push(name));
    expect(emitted).toEqual(['TokenReceived', 'TokenDescribed']);
  });
});

describe.each(forms)('tokens of the second standard, by events of %s', (_form, told) => {
  it('are minted, given away in the same transaction, and burned', () => {
    const { rows, activities } = fold([told.minted(), told.moved(ALICE, BOB)], [told.burned()]);
    const [token] = rows.filter((row): row is TokenRow => row.table === 'tokens');
    expect(token).toMatchObject({
      collection: COLLECTION,
      standard: 'aptos-v2',
      owner: null,
      transferCount: 1,
    });
    expect(objectOf(token?.tokenId ?? 0n)).toBe(OBJECT);
    expect(lines(activities)).toEqual([
      ['MINT', ZERO_ADDRESS, ALICE, 1n],
      ['TRANSFER', ALICE, BOB, 1n],
      ['BURN', BOB, ZERO_ADDRESS, 1n],
    ]);
  });

  it('are moved and burned in one transaction, which leaves nothing of them', () => {
    const transaction = transactionWith(1n, [told.moved(ALICE, BOB), told.burned()]);
    const { activities } = foldEvents(translateTransactions([market], [transaction]));
    expect(lines(activities)).toEqual([
      ['TRANSFER', ALICE, BOB, 1n],
      ['BURN', BOB, ZERO_ADDRESS, 1n],
    ]);
  });

  it('are not objects of other kinds', () => {
    const transaction = transactionWith(1n, [told.moved(ALICE, BOB)]);
    expect(translateTransactions([market], [transaction])).toEqual([]);
  });

  it('belong to whom the chain says when they were minted and kept', () => {
    const core = written('0xb1', '0x1::object::ObjectCore', { owner: '0xa1' });
    const transaction = transactionWith(1n, [told.minted()], [tokenWritten, core]);
    const { rows } = foldEvents(translateTransactions([market], [transaction]));
    expect(rows).toMatchObject([{ owner: ALICE }, { table: 'token_details', name: 'Loony', uri: 'u' }]);
  });
});

describe('what an owner has', () => {
  const key = id();
  const item = (handle: string, amount: string): AptosChange => ({
    kind: 'written-table-item',
    handle: canonicalAddress(handle),
    key,
    keyType: `${canonicalAddress('0x3')}::token::TokenId`,
    value: { amount },
    valueType: `${canonicalAddress('0x3')}::token::Token`,
  });
  const store = (owner: string, handle: string): AptosChange =>
    written(owner, '0x3::token::TokenStore', { tokens: { handle } });
  const [, { deposit, withdraw }] = forms[0];
  const after = (changes: readonly AptosChange[], ...events: Parameters<typeof transactionWith>[1]) =>
    balances(foldEvents(translateTransactions([market], [transactionWith(1n, events, changes)])).rows);

  it('is what the table of its store holds after the last of its moves', () => {
    const changes = [store(ALICE, '0x11'), item('0x11', '7')];
    expect(after(changes, deposit(ALICE, '1'), deposit(ALICE, '2'))).toEqual([[ALICE, 0n, 7n]]);
  });

  it('is told with the last move only: what was between nobody knows', () => {
    const transaction = transactionWith(
      1n,
      [deposit(ALICE, '1'), deposit(ALICE, '2')],
      [store(ALICE, '0x11'), item('0x11', '7')],
    );
    const told = translateTransactions([market], [transaction]).filter(
      ({ name }) => name === 'TokenReceived',
    );
    expect(told.map(({ data }) => (data as { balance?: bigint }).balance)).toEqual([undefined, 7n]);
  });

  it('is the one item that changed, where the one owner’s store was not written', () => {
    expect(after([item('0x11', '7')], deposit(ALICE, '1'))).toEqual([[ALICE, 0n, 7n]]);
  });

  it('is not guessed where items and owners are several', () => {
    const changes = [item('0x11', '7'), item('0x22', '9')];
    expect(after(changes, deposit(ALICE, '1'), deposit(BOB, '1'))).toEqual([
      [ALICE, 0n, 1n],
      [BOB, 0n, 1n],
    ]);
    expect(after([item('0x11', '7')], withdraw(ALICE, '1'), deposit(BOB, '1'))).toEqual([
      [ALICE, 0n, -1n],
      [BOB, 0n, 1n],
    ]);
  });
});

describe('the id of a token of the first standard', () => {
  it('is the hash of its names with the creator in full, and above it the edition', () => {
    const plain = v1Token({ ...names, creator: '0xc4', version: 0n });
    expect(plain).toEqual(v1Token({ ...names, version: 0n }));
    expect(splitV1TokenId(v1Token({ ...names, version: 2n ** 64n - 1n }).tokenId)).toEqual({
      tokenDataId: splitV1TokenId(plain.tokenId).tokenDataId,
      version: 2n ** 64n - 1n,
    });
  });
});
