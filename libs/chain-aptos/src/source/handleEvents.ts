import { messageOf } from '@imart/core';
import { RpcAnswerRefusedError, RpcInconsistentError, type RpcPlace } from '@imart/endpoints';
import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';
import type { ReadTransaction } from '../read/readEvent';
import { readU64 } from '../read/values';
import type { RestEndpoint } from './restEndpoint';
import type { RestLedger } from './restLedger';
import { servedByNone, VersionNotServedError } from './versionNotServedError';
import { VersionPrunedError } from './versionPrunedError';

/** Where a contract's events are kept: a field of a resource of an account. */
export interface EventHandle {
  /** The account that has the resource. */
  readonly address: string;
  /** The resource's type. @example '0x..::FixedMarket::MarketEvents' */
  readonly struct: string;
  readonly field: string;
}

/** An event of a handle: which transaction it is in, and its place among the handle's. */
export interface HandleEvent {
  readonly version: bigint;
  readonly sequenceNumber: bigint;
  readonly account: string;
  readonly creationNumber: bigint;
  /** As the node gave it. */
  readonly json: unknown;
}

/** Events of one answer at most. */
const EVENTS_MAX = 100;

/** What a node says of a handle. */
interface HandleAnswer {
  /** In order and without a gap. */
  readonly events: readonly HandleEvent[];
  /** How far the node is: what it does not tell may still be above. */
  readonly version: bigint;
  readonly oldestVersion: bigint | null;
}

/** Reads one handle from a version on, proving that none of its events is left out. */
export interface HandleReader {
  /** Every event up to this version is known. */
  readonly provenTo: bigint;
  /** Whether it has no event that was not taken. */
  readonly isEmpty: boolean;
  /** Versions up to this one that have an event, ascending, which were not taken yet. */
  versionsUpTo(version: bigint): readonly bigint[];
  /** The events of one of them, as the node gave them, in order. */
  eventsOf(version: bigint): readonly unknown[];
  /** Forgets them. */
  taken(version: bigint): void;
  /** Whether the transaction has all events that the handle says it has. @throws {RpcInconsistentError} */
  check(transaction: ReadTransaction, endpoint: RestEndpoint): void;
  /**
   * Asks for more events: at most two pages of them.
   * @returns whether more is known than before; if not, the nodes that answer lag.
   * @throws {RpcPrunedError} the next one is pruned, or it cannot be told which one is the next.
   * @throws {RpcAnswerRefusedError} there is one below `provenTo`: a node has hidden it.
   */
  advance(signal: AbortSignal): Promise<boolean>;
}

/** The events of an answer. @throws {AptosDecodeError} it is no list of events. */
export function readEvents(body: string): readonly HandleEvent[] {
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

/** Whether an event is pruned, and all that is pruned lies below a version: the oldest one of the node is not above it. */
function isAllBelow(error: unknown, version: bigint): boolean {
  if (!(error instanceof VersionPrunedError)) return false;
  return error.oldestVersion !== null && error.oldestVersion <= version;
}

/**
 * @param from the first version that matters: the handle's events below it are gone over.
 * @param bare whether a node may have the events of transactions that it has pruned.
 */
export function createHandleReader(
  ledger: RestLedger,
  handle: EventHandle,
  from: bigint,
  bare: boolean,
): HandleReader {
  const { pool } = ledger;
  const path = `/accounts/${handle.address}/events/${encodeURIComponent(handle.struct)}/${handle.field}`;
  const name = `${handle.struct}/${handle.field}`;
  const placeAt = (endpoint: string): RpcPlace => ({ endpoint, method: `GET events of ${name}` });
  const what = (start: bigint | null): string =>
    `events of ${name}${start === null ? '' : ` from ${start} on`}`;
  let provenTo = from - 1n;
  let pending: readonly HandleEvent[] = [];
  /** The sequence number to go on with; `null`: not known yet. */
  let next: bigint | null = null;

  /** The handle's events from one on, `null`: the newest ones. */
  const ask = async (
    endpoint: RestEndpoint,
    start: bigint | null,
    limit: number,
    signal: AbortSignal,
  ): Promise<HandleAnswer> => {
    const query = start === null ? `limit=${limit}` : `start=${start}&limit=${limit}`;
    const place = placeAt(endpoint.label);
    const answer = await endpoint.get(`${path}?${query}`, null, signal);
    const { version, oldestVersion } = answer.ledger;
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
    return { events, version, oldestVersion };
  };

  /** The newest event, as a node says it that has everything below a version: one that lags would name an earlier one. */
  const newestEvent = (from: bigint, signal: AbortSignal): Promise<HandleEvent | undefined> =>
    pool.run({
      what: what(null),
      signal,
      giveUp: servedByNone(pool.endpoints),
      work: async (endpoint) => {
        const { events, version } = await ask(endpoint, null, 1, signal);
        if (version < from - 1n)
          throw new VersionNotServedError(placeAt(endpoint.label), `its head ${version} is below ${from}`);
        return events.at(-1);
      },
    });

  /** Whether an event that is older than the newest one lies below a version. */
  const isBelow = (
    from: bigint,
    sequenceNumber: bigint,
    newest: HandleEvent,
    signal: AbortSignal,
  ): Promise<boolean> =>
    pool.run({
      what: what(sequenceNumber),
      signal,
      giveUp: servedByNone(pool.endpoints),
      work: async (endpoint) => {
        const place = placeAt(endpoint.label);
        let answer: HandleAnswer;
        try {
          answer = await ask(endpoint, sequenceNumber, 1, signal);
        } catch (error) {
          if (isAllBelow(error, from)) return true;
          throw error;
        }
        const [event] = answer.events;
        if (event !== undefined) return event.version < from;
        if (answer.version < newest.version)
          throw new VersionNotServedError(place, `nothing from event ${sequenceNumber} on`);
        if (answer.oldestVersion !== null && answer.oldestVersion > newest.version)
          throw new VersionPrunedError(place, `event ${sequenceNumber} is pruned`, answer.oldestVersion);
        throw new RpcInconsistentError(
          place,
          `event ${sequenceNumber} is not there, though event ${newest.sequenceNumber} is`,
        );
      },
    });

  /** The first event at or above a version, or where the next one will be. */
  const locate = async (from: bigint, signal: AbortSignal): Promise<bigint> => {
    if (from === 0n) return 0n;
    const newest = await newestEvent(from, signal);
    if (newest === undefined) return 0n;
    if (newest.version < from) return newest.sequenceNumber + 1n;
    let low = 0n;
    let high = newest.sequenceNumber;
    while (low < high) {
      const middle = (low + high) / 2n;
      if (await isBelow(from, middle, newest, signal)) low = middle + 1n;
      else high = middle;
    }
    return high;
  };

  /** Takes a page of what comes from one event on. @returns how many events it has. */
  const take = async (start: bigint, signal: AbortSignal): Promise<number> => {
    const { events, version } = await pool.run({
      what: what(start),
      signal,
      work: async (endpoint) => {
        const answer = await ask(endpoint, start, EVENTS_MAX, signal);
        const { oldestVersion: oldest } = answer;
        // Where all of a handle is pruned, a node says that there is nothing.
        if (!bare && answer.events.length === 0 && oldest !== null && oldest > provenTo + 1n)
          throw new VersionPrunedError(placeAt(endpoint.label), `version ${provenTo + 1n} is pruned`, oldest);
        return answer;
      },
    });
    const late = events.find((event) => event.version <= provenTo);
    if (late !== undefined) {
      const error = new RpcInconsistentError(
        placeAt('the endpoints'),
        `event ${late.sequenceNumber} is of version ${late.version}, of which it was said that all events are there`,
      );
      throw new RpcAnswerRefusedError(what(null), 1, error);
    }
    pending = [...pending, ...events];
    next = start + BigInt(events.length);
    const last = events.at(-1);
    // Another event of the last version may follow, and a node may give less than it has.
    const known = last === undefined ? version : last.version - 1n;
    if (known > provenTo) provenTo = known;
    return events.length;
  };

  /** A node that has pruned all of a handle's events does not tell how many there were, until there is another one. */
  const takeOrLocate = async (start: bigint, signal: AbortSignal): Promise<number> => {
    try {
      return await take(start, signal);
    } catch (error) {
      if (!isAllBelow(error, provenTo + 1n)) throw error;
      const found = await locate(provenTo + 1n, signal);
      if (found === start) throw error;
      return take(found, signal);
    }
  };

  return {
    get provenTo() {
      return provenTo;
    },
    get isEmpty() {
      return pending.length === 0;
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
    async advance(signal) {
      const before = provenTo;
      let count: number;
      try {
        next ??= await locate(provenTo + 1n, signal);
        count = await takeOrLocate(next, signal);
      } catch (error) {
        if (error instanceof VersionNotServedError) return false;
        throw error;
      }
      // Most often these were all: asked for once more, that is certain.
      if (count > 0 && count < EVENTS_MAX) await take(next, signal);
      return count > 0 || provenTo > before;
    },
  };
}
