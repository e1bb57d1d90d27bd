import { messageOf } from '@imart/core';
import { RpcAnswerRefusedError, RpcInconsistentError, RpcPrunedError } from '@imart/endpoints';
import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';
import type { ReadTransaction } from '../read/readEvent';
import { readU64 } from '../read/values';
import type { RestEndpoint } from './restEndpoint';
import type { RestLedger } from './restLedger';

/** Where a contract's events are kept: a field of a resource of an account. */
export interface EventHandle {
  /** The account that has the resource. */
  readonly address: string;
  /** The resource's type. @example '0x..::FixedMarket::MarketEvents' */
  readonly struct: string;
  readonly field: string;
}

/** An event of a handle: which transaction it is in, and its place among the handle's. */
interface HandleEvent {
  readonly version: bigint;
  readonly sequenceNumber: bigint;
  readonly account: string;
  readonly creationNumber: bigint;
  /** As the node gave it. */
  readonly json: unknown;
}

/** Events of one answer at most. */
const EVENTS_MAX = 100;

/** Reads one handle from a version on, proving that none of its events is left out. */
export interface HandleReader {
  /** Every event up to this version is known. */
  readonly provenTo: bigint;
  /** Versions up to this one that have an event, ascending, which were not taken yet. */
  versionsUpTo(version: bigint): readonly bigint[];
  /** The events of one of them, as the node gave them, in order. */
  eventsOf(version: bigint): readonly unknown[];
  /** Forgets them. */
  taken(version: bigint): void;
  /** Whether the transaction has all events that the handle says it has. @throws {RpcInconsistentError} */
  check(transaction: ReadTransaction, endpoint: RestEndpoint): void;
  /**
   * Asks for more events.
   * @throws {RpcPrunedError} the next one is pruned.
   * @throws {RpcAnswerRefusedError} there is one below `provenTo`: a node has hidden it.
   */
  advance(signal: AbortSignal): Promise<void>;
}

function readEvents(body: string): readonly HandleEvent[] {
  const list: unknown = JSON.parse(body);
  if (!Array.isArray(list)) throw new AptosDecodeError('the events are no list');
  return list.map((value: unknown) => {
    const event = (value ?? {}) as Record<string, unknown>;
    const guid = (event['guid'] ?? {}) as Record<string, unknown>;
    return {
      version: readU64(event['version'], 'version'),
      sequenceNumber: readU64(event['sequence_number'], 'sequence_number'),
      account: canonicalAddress(String(guid['account_address'])),
      creationNumber: readU64(guid['creation_number'], 'guid.creation_number'),
      json: value,
    };
  });
}

/**
 * @param from the first version that matters: the handle's events below it are gone over.
 */
export async function createHandleReader(
  ledger: RestLedger,
  handle: EventHandle,
  from: bigint,
  signal: AbortSignal,
): Promise<HandleReader> {
  const path = `/accounts/${handle.address}/events/${encodeURIComponent(handle.struct)}/${handle.field}`;
  const name = `${handle.struct}/${handle.field}`;
  let provenTo = from - 1n;
  let pending: readonly HandleEvent[] = [];

  /** The handle's events from one on, `null`: the newest ones; and how far the node that said so is. */
  const page = (
    start: bigint | null,
    limit: number,
    asking: AbortSignal,
  ): Promise<{ events: readonly HandleEvent[]; version: bigint }> =>
    ledger.pool.run({
      what: `events of ${name}${start === null ? '' : ` from ${start} on`}`,
      signal: asking,
      work: async (endpoint) => {
        const query = start === null ? `limit=${limit}` : `start=${start}&limit=${limit}`;
        const place = { endpoint: endpoint.label, method: `GET events of ${name}` };
        const answer = await endpoint.get(`${path}?${query}`, null, asking);
        const { version } = answer.ledger;
        if (version === null)
          throw new RpcInconsistentError(place, 'the answer does not say how far the node is');
        let events: readonly HandleEvent[];
        try {
          events = readEvents(answer.body);
        } catch (error) {
          throw new RpcInconsistentError(place, messageOf(error));
        }
        if (events.length > limit)
          throw new RpcInconsistentError(place, `${events.length} events, ${limit} asked for`);
        let before: HandleEvent | null = null;
        for (const event of events) {
          const expected: bigint | null = before === null ? start : before.sequenceNumber + 1n;
          if (expected !== null && event.sequenceNumber !== expected)
            throw new RpcInconsistentError(
              place,
              `event ${event.sequenceNumber} stands where ${expected} should`,
            );
          if (before !== null && event.version < before.version)
            throw new RpcInconsistentError(place, `event ${event.sequenceNumber} is of an earlier version`);
          if (event.version > version)
            throw new RpcInconsistentError(place, `version ${event.version} is beyond the node's own head`);
          before = event;
        }
        return { events, version };
      },
    });

  /** The version of an event; below every other when it is pruned. */
  const versionOf = async (sequenceNumber: bigint): Promise<bigint> => {
    try {
      return (await page(sequenceNumber, 1, signal)).events[0]?.version ?? -1n;
    } catch (error) {
      if (error instanceof RpcPrunedError) return -1n;
      throw error;
    }
  };

  /** The first event at or above `from`, or where the next one will be. */
  const locate = async (): Promise<bigint> => {
    if (from === 0n) return 0n;
    const newest = (await page(null, 1, signal)).events.at(-1);
    if (newest === undefined) return 0n;
    if (newest.version < from) return newest.sequenceNumber + 1n;
    let low = 0n;
    let high = newest.sequenceNumber;
    while (low < high) {
      const middle = (low + high) / 2n;
      if ((await versionOf(middle)) < from) low = middle + 1n;
      else high = middle;
    }
    return high;
  };

  let next = await locate();
  return {
    get provenTo() {
      return provenTo;
    },
    versionsUpTo: (version) => [
      ...new Set(pending.filter((event) => event.version <= version).map((event) => event.version)),
    ],
    eventsOf: (version) => pending.filter((event) => event.version === version).map((event) => event.json),
    taken(version) {
      pending = pending.filter((event) => event.version > version);
    },
    check(transaction, endpoint) {
      const place = { endpoint: endpoint.label, method: `GET version ${transaction.version}` };
      for (const { version, account, creationNumber, sequenceNumber } of pending) {
        if (version !== transaction.version) continue;
        const has = transaction.events.some(
          (event) =>
            event.sequenceNumber === sequenceNumber &&
            event.creationNumber === creationNumber &&
            event.account === account,
        );
        if (!has) throw new RpcInconsistentError(place, `event ${sequenceNumber} of ${name} is not in it`);
      }
    },
    async advance(asking) {
      const { events, version } = await page(next, EVENTS_MAX, asking);
      const late = events.find((event) => event.version <= provenTo);
      if (late !== undefined) {
        const place = { endpoint: 'the endpoints', method: `GET events of ${name}` };
        const error = new RpcInconsistentError(
          place,
          `event ${late.sequenceNumber} is of version ${late.version}, of which it was said that all events are there`,
        );
        throw new RpcAnswerRefusedError(`events of ${name}`, 1, error);
      }
      pending = [...pending, ...events];
      next += BigInt(events.length);
      const last = events.at(-1);
      // Another event of the last version may follow.
      const known = events.length === EVENTS_MAX && last !== undefined ? last.version - 1n : version;
      if (known > provenTo) provenTo = known;
    },
  };
}
