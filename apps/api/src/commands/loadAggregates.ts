import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, messageOf, type ConfigProblem } from '@imart/core';
import {
  anyOf,
  defineAggregate,
  everyEvents,
  everySeconds,
  noSnapshot,
  onEvents,
  onRead,
  type AggregateDefinition,
} from '@imart/event-service';
import { CHAIN_AGGREGATE_TYPES } from '@imart/storage';
import { z } from 'zod';

/** What a module of aggregates is given, so that it needs no packages beside it. */
export interface AggregateKit {
  readonly z: typeof z;
  readonly defineAggregate: typeof defineAggregate;
  readonly anyOf: typeof anyOf;
  readonly everyEvents: typeof everyEvents;
  readonly everySeconds: typeof everySeconds;
  readonly onEvents: typeof onEvents;
  readonly onRead: typeof onRead;
  readonly noSnapshot: typeof noSnapshot;
}

export const aggregateKit: AggregateKit = {
  z,
  defineAggregate,
  anyOf,
  everyEvents,
  everySeconds,
  onEvents,
  onRead,
  noSnapshot,
};

/**
 * The aggregate types that modules export as `aggregates`: a list of definitions, or a function that makes one from the
 * {@link AggregateKit}. A module runs with all the rights of the process.
 * @throws {ConfigError} with every problem of all modules.
 */
export async function loadAggregates(paths: readonly string[]): Promise<readonly AggregateDefinition[]> {
  const problems: ConfigProblem[] = [];
  const types = new Map<string, AggregateDefinition>();
  for (const path of paths) {
    try {
      for (const definition of await definitionsIn(path)) {
        const { type } = definition;
        if (CHAIN_AGGREGATE_TYPES.includes(type))
          throw new Error(`chains have aggregates of the type ${type}`);
        if (types.has(type)) throw new Error(`the type ${type} is defined twice`);
        types.set(type, definition);
      }
    } catch (error) {
      problems.push({ setting: 'AGGREGATES', problem: `${path}: ${messageOf(error)}` });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return [...types.values()];
}

async function definitionsIn(path: string): Promise<readonly AggregateDefinition[]> {
  const file = resolve(path);
  if (!existsSync(file)) throw new Error(`there is no such file (${file})`);
  const exported = (await import(pathToFileURL(file).href)) as {
    aggregates?: unknown;
    default?: { aggregates?: unknown };
  };
  const found = exported.aggregates ?? exported.default?.aggregates;
  const list: unknown =
    typeof found === 'function' ? (found as (kit: AggregateKit) => unknown)(aggregateKit) : found;
  if (!Array.isArray(list) || list.length === 0) {
    throw new Error('it must export "aggregates": a list of definitions, or a function that makes one');
  }
  // Whatever a module gives is checked as one's own definitions are.
  return list.map((one: unknown) => defineAggregate(definitionOf(one)));
}

function definitionOf(one: unknown): AggregateDefinition {
  const { type, events, rules, reducer } = (one ?? {}) as Partial<AggregateDefinition>;
  const name = typeof type === 'string' ? type : JSON.stringify(type);
  if (typeof type !== 'string') throw new Error(`an aggregate's type must be a word, not ${name}`);
  if (typeof events !== 'object' || events === null || Object.keys(events).length === 0)
    throw new Error(`${name} has no events`);
  for (const [event, definition] of Object.entries(events)) {
    const { schema } = (definition ?? {}) as { schema?: { safeParse?: unknown } };
    if (typeof schema?.safeParse !== 'function')
      throw new Error(`${name}'s event ${event} has no schema of zod`);
  }
  if (!Array.isArray(rules)) throw new Error(`${name} has no list of rules; it may be empty`);
  if (typeof reducer?.fold !== 'function' || typeof reducer.initial !== 'function')
    throw new Error(`${name} has no reducer with initial and fold`);
  return one as AggregateDefinition;
}
