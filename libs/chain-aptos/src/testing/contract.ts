import { canonicalAddress } from '../address';
import type { AptosMarket } from '../market';
import { createFakeLedger, type FakeEvent, type FakeLedger } from './fakeLedger';

const ADDRESS = '0xca11';
const STRUCT = `${ADDRESS}::market::Events`;
const FIELDS = { list: '4', buy: '5' };
/** Its event handles. */
export const CONTRACT_HANDLES = Object.keys(FIELDS).map((field) => ({
  address: ADDRESS,
  struct: STRUCT,
  field,
}));
/** A node that serves them. */
export const CONTRACT_NODE = {
  handles: Object.fromEntries(
    Object.entries(FIELDS).map(([field, creation]) => [`${STRUCT}/${field}`, creation]),
  ),
};

/** Makes an event of everything that it tells. */
export const contractMarket: AptosMarket = {
  name: 'handles',
  eventTypes: Object.keys(FIELDS).map((field) => `${canonicalAddress(ADDRESS)}::market::${field}`),
  translate: ({ type, sequenceNumber }, _, emit) =>
    emit('token', `${type.split('::').at(-1)}:${sequenceNumber}`, 'TokenBurned', {
      from: canonicalAddress(ADDRESS),
      standard: 'erc721',
    }),
};

/** A contract with two handles, in every fifth transaction; now and then both in one, or many events in one. */
export function createContract(
  transactions: number,
  name?: string,
): { readonly ledger: FakeLedger; grow(by: number): void } {
  const ledger = createFakeLedger(4, name);
  const next = { list: 0, buy: 0 };
  const event = (field: keyof typeof FIELDS, success = true): FakeEvent => ({
    type: `${ADDRESS}::market::${field}`,
    account: ADDRESS,
    creationNumber: Number(FIELDS[field]),
    sequenceNumber: success ? next[field]++ : next[field],
    data: { seller: '0x1' },
  });
  const grow = (by: number): void => {
    for (let i = 0; i < by; i++) {
      const version = Number(ledger.head) + 1;
      if (version === 100) ledger.add({ events: Array.from({ length: 230 }, () => event('list')) });
      else if (version % 35 === 0) ledger.add({ events: [event('list'), event('buy'), event('list')] });
      else if (version % 11 === 0) ledger.add({ events: [event('buy', false)], success: false });
      else if (version % 5 === 0) ledger.add({ events: [event(version % 2 === 0 ? 'list' : 'buy')] });
      else ledger.add({ kind: 'stateCheckpoint' });
    }
  };
  grow(transactions);
  return { ledger, grow };
}
