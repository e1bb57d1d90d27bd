import { aggregateHash } from '@imart/core';
import { eventIdHex, eventIdOf, type KeptEvent, type PersonalData } from '@imart/event-service';
import type { LogContext } from '../subject/eventLog';
import type { Pool, PoolClient } from 'pg';

/** What the statements about one aggregate type share. */
export interface CommandContext {
  readonly pool: Pool;
  /** The pool is one connection, with an open transaction; else every statement is by itself. */
  readonly isWithin: boolean;
  readonly log: LogContext;
  readonly aggregateType: string;
  readonly reducerVersion: number;
  readonly lanes: number;
  readonly markerTtlMs: number;
  readonly keptMs: number;
  readonly personalData: PersonalData | null;
}

/**
 * The same on one connection, within its transaction: for what is single statements, as reads and marks are. What takes a connection of
 * its own does not work on it.
 */
export function onClient(context: CommandContext, client: PoolClient): CommandContext {
  return { ...context, pool: client as unknown as Pool, isWithin: true };
}

/** An aggregate as parameters: hash, type, id. */
export function keyOf({ aggregateType }: CommandContext, aggregateId: string): [string, string, string] {
  return [aggregateHash(aggregateType, aggregateId).toString(), aggregateType, aggregateId];
}

/** An accepted event as the tables give it. */
export interface KeptRow {
  readonly version: string;
  readonly event_id: string;
  readonly name: string;
  readonly data: string;
  readonly time_us: string;
}

export function keptEvent(row: KeptRow): KeptEvent {
  return {
    version: Number(row.version),
    eventId: eventIdOf(row.event_id),
    name: row.name,
    data: row.data,
    timeUs: BigInt(row.time_us),
  };
}

/** An event id as a parameter for `decode($n, 'hex')`. */
export const idDigits = (eventId: KeptEvent['eventId']): string => eventIdHex(eventId).slice(2);
