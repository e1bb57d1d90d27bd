import type { Event } from '@imart/core';
import { ALICE, createMarketScript } from '@imart/testing';
import { marketReducers } from './index';
import type { MarketActivity, MarketRow } from '../rows';

const SHORT_ZERO = `0x${'0'.repeat(40)}`;
const LONG_ZERO = `0x${'0'.repeat(64)}`;
const long = (digit: string): string => `0x${digit.repeat(64)}`;
const [COLLECTION, OWNER, PACKAGE] = [long('c'), long('a'), long('b')];

/** A log of before: a chain of addresses of 64 digits, whose events have nobody and native coin in 40. */
function folded(aggregateType: string, aggregateId: string, name: string, data: object) {
  const reducer = marketReducers.get(aggregateType);
  if (reducer === undefined) throw new Error(`no reducer of ${aggregateType}`);
  const [like] = createMarketScript().listed('1').events;
  const event = { ...like, aggregateType, aggregateId, name, data } as Event;
  const { rows, activities } = reducer.fold(reducer.initial(aggregateId), event);
  return { row: rows[0] as MarketRow, activity: activities[0] as MarketActivity };
}

describe('nobody and native coin have the form that the addresses of the chain have', () => {
  const token = `${COLLECTION}:7`;
  const balance = `${token}:${OWNER}`;

  it('where a token is minted and burned', () => {
    const standard = 'aptos-v2';
    expect(folded('token', token, 'TokenMinted', { to: OWNER, standard }).activity).toMatchObject({
      ...{ kind: 'MINT', from: LONG_ZERO, to: OWNER },
    });
    expect(folded('token', token, 'TokenBurned', { from: OWNER, standard }).activity).toMatchObject({
      ...{ kind: 'BURN', from: OWNER, to: LONG_ZERO },
    });
  });

  it.each([SHORT_ZERO, LONG_ZERO])('where a balance is minted and burned, told as %s', (zero) => {
    const of = { quantity: 3n, standard: 'aptos-v1' };
    expect(folded('balance', balance, 'TokenReceived', { from: zero, ...of }).activity).toMatchObject({
      ...{ kind: 'MINT', from: LONG_ZERO, to: OWNER },
    });
    expect(folded('balance', balance, 'TokenSent', { to: zero, ...of }).activity).toMatchObject({
      ...{ kind: 'BURN', from: OWNER, to: LONG_ZERO },
    });
  });

  it.each([
    [SHORT_ZERO, LONG_ZERO],
    [LONG_ZERO, LONG_ZERO],
    ['0x1::coin::Coin', '0x1::coin::Coin'],
  ])('where an order is made, taken or was not seen before: %s is %s', (told, kept) => {
    const [opened, filled] = createMarketScript().listed('1').filled('1', { price: 5n }).events;
    const id = `${PACKAGE}:1`;
    const list = folded('order', id, 'OrderListed', { ...(opened?.data as object), currency: told });
    expect([list.row, list.activity]).toMatchObject([{ currency: kept }, { currency: kept }]);
    const sale = folded('order', id, 'OrderFilled', { ...(filled?.data as object), currency: told });
    expect([sale.row, sale.activity]).toMatchObject([{ currency: kept }, { currency: kept }]);
  });

  it.each(['curation-offer', 'exhibit'])('where an %s names its currency', (type) => {
    const name = type === 'exhibit' ? 'ExhibitChanged' : 'CurationOfferChanged';
    const { row } = folded(type, `${PACKAGE}:1`, name, {
      market: 'm',
      status: 'frozen',
      currency: SHORT_ZERO,
    });
    expect(row).toMatchObject({ currency: LONG_ZERO });
  });

  it('where the addresses of the chain are of 40 digits', () => {
    const [mint] = createMarketScript().minted(ALICE).events;
    const { activity } = folded('token', mint?.aggregateId as string, 'TokenMinted', mint?.data as object);
    expect(activity.from).toBe(SHORT_ZERO);
  });
});
