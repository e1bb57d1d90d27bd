import { messageOf } from '@imart/core';
import type { AggregateDefinition, Marked, Proposed } from './aggregate';
import { CommandInvalidError } from './errors';

/** What is decided about a command. */
export type Decision =
  | {
      readonly kind: 'accepted';
      /** What is stored. */
      readonly data: unknown;
    }
  | { readonly kind: 'refused'; readonly rule: string; readonly reason: string };

/** Name of the rule that refuses a command whose expected version is not the aggregate's. */
export const EXPECTED_VERSION = 'expected-version';

/**
 * Asks the rules in their order. Pure: the same command and the same marked event give the same decision.
 * @param expectedVersion of the latest event, 0 for an aggregate without events; `null`: any will do.
 */
export function decide(
  definition: AggregateDefinition,
  proposed: Proposed,
  marked: Marked | null,
  expectedVersion: number | null = null,
): Decision {
  const version = marked?.version ?? 0;
  if (expectedVersion !== null && expectedVersion !== version) {
    const reason = `the latest event has version ${version}, not ${expectedVersion}`;
    return { kind: 'refused', rule: EXPECTED_VERSION, reason };
  }
  for (const rule of definition.rules) {
    const reason = rule.refuses(proposed, marked);
    if (reason !== null) return { kind: 'refused', rule: rule.name, reason };
  }
  const event = definition.events[proposed.name];
  const data = event?.complete === undefined ? proposed.data : event.complete(proposed.data, marked);
  return { kind: 'accepted', data };
}

/**
 * What somebody asks for, in the form in which it is stored.
 * @throws {CommandInvalidError} with every problem.
 */
export function parseProposed(definition: AggregateDefinition, name: string, data: unknown): Proposed {
  const { type } = definition;
  const event = Object.hasOwn(definition.events, name) ? definition.events[name] : undefined;
  if (event === undefined) {
    const known = Object.keys(definition.events).join(', ');
    throw new CommandInvalidError(type, [`name: there is no event "${name}", only ${known}`]);
  }
  const checked = event.schema.safeParse(data);
  if (!checked.success) {
    throw new CommandInvalidError(
      type,
      checked.error.issues.map(
        ({ path, message }) => `${['data', ...path.map(String)].join('.')}: ${message}`,
      ),
    );
  }
  try {
    // Rules and reducers see the same before it is stored as after.
    return { name, data: JSON.parse(JSON.stringify(checked.data)) as unknown };
  } catch (error) {
    throw new CommandInvalidError(type, [`data: it is no JSON (${messageOf(error)})`]);
  }
}

/** Longest id: it is part of index entries, which PostgreSQL bounds. */
export const AGGREGATE_ID_LENGTH_MAX = 256;

/** @throws {CommandInvalidError} for an id that cannot be stored. */
export function checkAggregateId({ type }: AggregateDefinition, aggregateId: string): void {
  // Half a surrogate pair is no text, and NUL none that PostgreSQL holds.
  if (
    aggregateId.length === 0 ||
    aggregateId.length > AGGREGATE_ID_LENGTH_MAX ||
    aggregateId.includes('\0') ||
    /\p{Surrogate}/u.test(aggregateId)
  ) {
    throw new CommandInvalidError(type, [
      `id: 1 to ${AGGREGATE_ID_LENGTH_MAX} characters, all of them valid`,
    ]);
  }
}
