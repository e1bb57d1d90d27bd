import type { ZodType } from 'zod';
import type { EventId, SeqNo } from '@imart/core';
import type { PersonalFields } from './personalData';
import type { SnapshotPolicy } from './snapshotPolicy';

/** Names and data of the events that an aggregate type has. */
export type EventsOf = Readonly<Record<string, unknown>>;

/** How the data of one kind of event is checked, and how older forms of it become the present one. */
export interface EventDefinition<Data = unknown, Events extends EventsOf = EventsOf> {
  /** What is asked for must pass; what it gives is stored, as JSON. */
  readonly schema: ZodType<Data>;
  /**
   * What is stored: what was asked for, completed from the marked event, so that the next command can be validated against this event
   * alone. Called after all rules have allowed it, and again with its own result when a command is validated anew. @defaultValue as asked for
   * @example `(data, marked) => ({ ...data, left: (marked?.data.left ?? 0) - data.quantity })`, `left` having a default in the schema
   */
  complete?(data: Data, marked: Marked<Events> | null): Data;
  /** Version of the stored form. @defaultValue `1` */
  readonly version?: number;
  /**
   * Of each older version, how its data becomes that of the next one. Applied on every reading: the log is not rewritten.
   * @example `{ 1: (data) => ({ ...(data as object), currency: 'APT' }) }` with `version: 2`
   */
  readonly upcasts?: Readonly<Record<number, (data: unknown) => unknown>>;
  /**
   * What of the data is about a person: sealed with a key of that person wherever it is stored. Once the person is forgotten, rules,
   * reducers and readers see `UNREADABLE` in its place. @defaultValue nothing
   */
  readonly personal?: PersonalFields<Data>;
}

/** An event that somebody asks for. */
export type Proposed<Events extends EventsOf = EventsOf> = {
  readonly [Name in keyof Events & string]: { readonly name: Name; readonly data: Events[Name] };
}[keyof Events & string];

/** The latest accepted event of an aggregate: all that a command is validated against. */
export type Marked<Events extends EventsOf = EventsOf> = Proposed<Events> & {
  readonly version: number;
  readonly eventId: EventId;
  /** When it was accepted, in microseconds since 1970 by the database's clock. */
  readonly timeUs: bigint;
};

/** An event of the log, as reducers and readers see it. */
export type Stored<Events extends EventsOf = EventsOf> = Marked<Events> & {
  readonly seqNo: SeqNo;
  readonly aggregateId: string;
  /** Who asked. */
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string | null;
};

/** A condition of accepting a command. Pure: it sees what is asked for and the latest accepted event, nothing else. */
export interface Rule<Events extends EventsOf = EventsOf> {
  /** Told to whoever is refused. Stable. */
  readonly name: string;
  /** @returns `null`: allowed; else why not, safe to show. `marked` is `null` for an aggregate without events. */
  refuses(proposed: Proposed<Events>, marked: Marked<Events> | null): string | null;
}

/** Folds the events of one aggregate into its state. Pure: no I/O, no clock, no randomness. */
export interface StateReducer<State, Events extends EventsOf = EventsOf> {
  /** Raised whenever the same events would give another state. Part of every snapshot. */
  readonly version: number;
  initial(aggregateId: string): State;
  /** Gives a new state; the old one is not changed. States are JSON with bigints. */
  fold(state: State, event: Stored<Events>): State;
}

/** All that there is to say about one type of aggregates. */
export interface AggregateDefinition<State = unknown, Events extends EventsOf = EventsOf> {
  /** Lower-case words with hyphens: part of the subject's id. */
  readonly type: string;
  readonly events: { readonly [Name in keyof Events & string]: EventDefinition<Events[Name], Events> };
  /** Asked in this order; the first that refuses counts. */
  readonly rules: readonly Rule<Events>[];
  readonly reducer: StateReducer<State, Events>;
  /** @defaultValue after every 100 events */
  readonly snapshots?: SnapshotPolicy;
  /** When an aggregate's events go out of the log into the archive, where they are read, and take no more commands. @defaultValue never */
  readonly archive?: {
    /** Pure. Of the latest state: nothing more will happen. */
    isFinished(state: State): boolean;
    /** How long ago the last event must have been, in milliseconds. */
    readonly afterMs: number;
  };
}

const TYPE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Defines an aggregate type; infers states and events.
 * @throws {RangeError} what could not be stored or read back: a type that is no word, an older version without its upcast.
 */
export function defineAggregate<State, Events extends EventsOf>(
  definition: AggregateDefinition<State, Events>,
): AggregateDefinition<State, Events> {
  const { type, events, rules } = definition;
  if (!TYPE.test(type))
    throw new RangeError(`an aggregate type is lower-case words with hyphens, not "${type}"`);
  for (const [name, { version = 1, upcasts = {} }] of Object.entries(
    events as Readonly<Record<string, EventDefinition>>,
  )) {
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name))
      throw new RangeError(`an event's name is a word, not "${name}"`);
    for (let from = 1; from < version; from++) {
      if (upcasts[from] === undefined) {
        throw new RangeError(
          `${type}'s event ${name} has version ${version}, but no upcast from version ${from}`,
        );
      }
    }
  }
  const afterMs = definition.archive?.afterMs ?? 0;
  if (!Number.isInteger(afterMs) || afterMs < 0)
    throw new RangeError(`${type} is archived after 0 or more whole milliseconds, not ${afterMs}`);
  const names = new Set(rules.map((rule) => rule.name));
  if (names.size !== rules.length) throw new RangeError(`two rules of ${type} have the same name`);
  if (!Number.isInteger(definition.reducer.version) || definition.reducer.version < 1) {
    throw new RangeError(
      `the reducer of ${type} has version ${definition.reducer.version}; versions are 1, 2, 3 ...`,
    );
  }
  return definition;
}

/** The same definition, for what works with the definitions of all types. */
export function anyAggregate<State, Events extends EventsOf>(
  definition: AggregateDefinition<State, Events>,
): AggregateDefinition {
  // Whoever uses it goes by names, and gives events only to what is defined under their name.
  return definition as unknown as AggregateDefinition;
}
