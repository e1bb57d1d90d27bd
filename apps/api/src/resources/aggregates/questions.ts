import { UNDECODABLE, type Event, type UndecodableData } from '@imart/core';
import {
  eventIdOf,
  storedEvent,
  UnknownAggregateTypeError,
  type AggregateQueries,
  type Moment,
  type Stored,
} from '@imart/event-service';
import {
  CHAIN_AGGREGATE_TYPES,
  readChainEvents,
  readChainSnapshot,
  readChainState,
  type ChainAggregateKey,
  type ReadDatabase,
} from '@imart/storage';
import type { CommandType } from '../../commands/commandSide';
import { BadParameterError } from '../../errors';
import { isoOf, plain } from './plain';

/** An event as it is answered. */
export interface EventAnswer {
  readonly seqNo: string;
  readonly version: number | null;
  readonly eventId: string | null;
  readonly name: string;
  readonly data: unknown;
  readonly time: string;
  readonly actor: string | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly txHash: string | null;
}

export interface EventsAnswer {
  readonly items: readonly EventAnswer[];
  readonly next: string | null;
  readonly unreadable: { readonly seqNo: string; readonly reason: string } | null;
}

export interface SnapshotAnswer {
  readonly state: unknown;
  readonly version: number;
  readonly seqNo: string;
}

export interface StateAnswer extends SnapshotAnswer {
  readonly folded: number;
  readonly stopped: { readonly seqNo: string; readonly code: string; readonly message: string } | null;
}

/** The three questions about one aggregate, of whatever kind it is. */
export interface Questions {
  events(after: bigint, limit: number): Promise<EventsAnswer>;
  /** `null`: there is none. */
  snapshot(moment: Moment): Promise<SnapshotAnswer | null>;
  /** `null`: it has no event up to the moment. */
  state(moment: Moment): Promise<StateAnswer | null>;
}

/** What of a path and its query names an aggregate. */
export interface AskedAggregate {
  readonly type: string;
  readonly id: string;
  readonly subject?: string | undefined;
}

/**
 * @throws {UnknownAggregateTypeError} neither chains nor this process's commands have this type.
 * @throws {BadParameterError} chains' aggregates need their chain, others have none.
 */
export function questionsAbout(
  { type, id, subject }: AskedAggregate,
  types: ReadonlyMap<string, Pick<CommandType, 'queries'>>,
  db: ReadDatabase,
): Questions {
  const command = types.get(type);
  if (command !== undefined) {
    if (subject !== undefined)
      throw new BadParameterError([
        { field: 'subject', problem: `is for aggregates of chains; ${type} is none` },
      ]);
    return commandQuestions(command.queries, id);
  }
  if (!CHAIN_AGGREGATE_TYPES.includes(type)) throw new UnknownAggregateTypeError(type);
  if (subject === undefined)
    throw new BadParameterError([{ field: 'subject', problem: 'is missing: of which chain, as eip155:1?' }]);
  // Ids of chains are in lower case, but for the last part, which a chain may give as it likes.
  return chainQuestions(db, { subject, aggregateType: type, aggregateId: id });
}

/** An event as a topic has it: one that this program cannot read says why instead of what. */
export function topicAnswer(event: Event): EventAnswer {
  if (event.name !== UNDECODABLE) return eventAnswer(storedEvent(event));
  const { reason } = event.data as UndecodableData;
  const data = { reason };
  return { ...chainEventAnswer({ ...event, data }), eventId: eventIdOf(event.source.txHash), txHash: null };
}

/** An event of a command's log as it is answered. */
function eventAnswer(event: Stored): EventAnswer {
  const { seqNo, version, eventId, name, data, timeUs, actor, correlationId, causationId } = event;
  return {
    seqNo: seqNo.toString(),
    version,
    eventId,
    name,
    data: plain(data),
    time: isoOf(timeUs),
    actor,
    correlationId,
    causationId,
    txHash: null,
  };
}

function commandQuestions(queries: AggregateQueries, id: string): Questions {
  return {
    async events(after, limit) {
      const { events, unreadable } = await queries.events(id, {
        afterVersion: Number(after),
        limit: limit + 1,
      });
      const items = events.slice(0, limit);
      return {
        items: items.map(eventAnswer),
        next: events.length > limit ? String(items.at(-1)?.version) : null,
        unreadable:
          unreadable === null ? null : { seqNo: unreadable.seqNo.toString(), reason: unreadable.reason },
      };
    },
    async snapshot(moment) {
      const found = await queries.snapshot(id, moment);
      if (found === null) return null;
      return { state: plain(found.state), version: found.version, seqNo: found.seqNo.toString() };
    },
    async state(moment) {
      const { state, version, seqNo, folded, stopped } = await queries.state(id, moment);
      if (version === 0 && stopped === null) return null;
      return {
        state: plain(state),
        version,
        seqNo: seqNo.toString(),
        folded,
        stopped: stoppedAnswer(stopped),
      };
    },
  };
}

const stoppedAnswer = (
  stopped: { readonly seqNo: bigint; readonly code: string; readonly message: string } | null,
): StateAnswer['stopped'] => (stopped === null ? null : { ...stopped, seqNo: stopped.seqNo.toString() });

function chainQuestions(db: ReadDatabase, key: ChainAggregateKey): Questions {
  return {
    async events(after, limit) {
      // `after` is a seq no, which may be 0: the first page begins before it.
      const events = await readChainEvents(db, key, after - 1n, limit + 1);
      const next = events[limit];
      return {
        items: events.slice(0, limit).map(chainEventAnswer),
        next: next === undefined ? null : next.seqNo.toString(),
        unreadable: null,
      };
    },
    async snapshot(moment) {
      const found = await readChainSnapshot(db, key, moment);
      return found === null ? null : chainState(found.state);
    },
    async state(moment) {
      const { state, folded, stopped } = await readChainState(db, key, moment);
      if (state.version === 0 && stopped === null) return null;
      return { ...chainState(state), folded, stopped: stoppedAnswer(stopped) };
    },
  };
}

function chainState({
  seqNo,
  version,
  ...state
}: {
  readonly seqNo: bigint;
  readonly version: number;
}): SnapshotAnswer {
  return { state: plain(state), version, seqNo: seqNo.toString() };
}

function chainEventAnswer({ seqNo, name, data, source }: Event): EventAnswer {
  return {
    seqNo: seqNo.toString(),
    version: null,
    eventId: null,
    name,
    data: plain(data),
    time: isoOf(source.timeUs),
    actor: null,
    correlationId: null,
    causationId: null,
    txHash: source.txHash,
  };
}
