import type { ReadTransaction } from '../read/readEvent';
import { readRestTransaction } from '../read/restTransaction';
import type { HandleReader } from './handleEvents';

/** Times in other units are far from these: seconds have ten digits, milliseconds thirteen, microseconds sixteen. */
const MILLISECONDS_FROM = 10n ** 11n;
const MICROSECONDS_FROM = 10n ** 14n;
const MICROSECONDS_BELOW = 10n ** 17n;

/** When an event says that it happened, in microseconds; `null`: it does not say. */
function timeOf(event: unknown): bigint | null {
  const { timestamp } = ((event as { data?: unknown }).data ?? {}) as { timestamp?: unknown };
  if (typeof timestamp !== 'string' || !/^\d{10,17}$/.test(timestamp)) return null;
  const time = BigInt(timestamp);
  if (time < MILLISECONDS_FROM) return time * 1_000_000n;
  if (time < MICROSECONDS_FROM) return time * 1_000n;
  return time < MICROSECONDS_BELOW ? time : null;
}

/**
 * What is known of a transaction by its events alone: its version, and when it happened if one of them has a `timestamp`, else the time of the
 * one before. No hash, no sender, no write set, nor other events. Events of several handles have no order in one version: here it is
 * that of the handles, and by sequence number in each.
 */
function bareTransaction(version: bigint, events: readonly unknown[], timeUs: bigint): ReadTransaction {
  return readRestTransaction({
    version: String(version),
    hash: '',
    accumulator_root_hash: '',
    timestamp: String(timeUs),
    success: true,
    events,
    changes: [],
  });
}

/**
 * @param readers of the handles, in their order.
 * @param before the time of what was read before.
 */
export function bareTransactions(
  versions: readonly bigint[],
  readers: readonly HandleReader[],
  before: bigint,
): readonly ReadTransaction[] {
  let timeUs = before;
  return versions.map((version) => {
    const events = readers.flatMap((reader) => reader.eventsOf(version));
    for (const event of events) {
      const own = timeOf(event);
      if (own !== null && own > timeUs) timeUs = own;
    }
    return bareTransaction(version, events, timeUs);
  });
}
