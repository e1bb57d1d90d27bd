import type { LedgerSource } from '../source/ledgerSource';
import { versionsOfEvents, type LedgerKit } from './ledgerKit';
import type { LedgerStore } from './ledgerStore';

/** The versions of a store's events. */
export const versions = ({ events }: LedgerStore): bigint[] => events.map(({ source }) => source.position);

/** Reads everything up to a version, and proves that the log is whole. */
export async function readWhole(
  kit: LedgerKit,
  source: LedgerSource,
  last: number,
  store: LedgerStore,
): Promise<void> {
  await kit.read(kit.subject(source, { endVersion: BigInt(last) }), store);
  expect(store.next).toBe(BigInt(last) + 1n);
  expect(versions(store)).toEqual(versionsOfEvents(0, last));
  expect(store.finalized).toBe(BigInt(last));
}
