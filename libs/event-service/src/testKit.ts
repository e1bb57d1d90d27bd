import { deepStrictEqual, fail } from 'node:assert';
import { randomBytes } from 'node:crypto';
import type { CommandEventData, EventId, SeqNo } from '@imart/core';
import type { AggregateDefinition, EventsOf, Marked, Proposed, Stored } from './aggregate';
import { createCommandCodec } from './codec';
import { decide, parseProposed, type Decision } from './decide';
import { createPersonalData, MASTER_KEY_BYTES, type PersonKey } from './personalData';
import { withKey } from './sealedData';

/** What a command is expected to come to: events, or the rule that refuses it. */
export type Expected<Events extends EventsOf> = readonly Proposed<Events>[] | { readonly refusedBy: string };

/** What became of a command, for a spec to compare. */
export interface Outcome<State, Events extends EventsOf> {
  readonly decision: Decision;
  /** After the command, or as before it when it was refused. */
  readonly state: State;
  /** @throws {AssertionError} when it came to something else. */
  then(expected: Expected<Events>): Outcome<State, Events>;
  /** @throws {AssertionError} when the state is another one. */
  thenState(expected: State): Outcome<State, Events>;
}

/** What happened before. */
export interface GivenEvents<State, Events extends EventsOf> {
  readonly state: State;
  /** @throws {CommandInvalidError} as the service does. */
  when(command: Proposed<Events>, options?: { readonly expectedVersion?: number }): Outcome<State, Events>;
}

/** Time between given events, and of the first one: a second each, in microseconds. */
const TIME_STEP_US = 1_000_000n;

/**
 * A definition under test, without a database: `given(events).when(command).then(events | refusal)`. Events go through their stored form,
 * as in the log; it works with every test runner, because it throws.
 *
 * @example
 * const product = testAggregate(productDefinition);
 * product.given([{ name: 'Created', data: { stock: 1 } }]).when({ name: 'Sold', data: { quantity: 2 } }).then({ refusedBy: 'enough-stock' });
 */
export function testAggregate<State, Events extends EventsOf>(
  definition: AggregateDefinition<State, Events>,
  aggregateId = 'a',
): { given(events: readonly Proposed<Events>[]): GivenEvents<State, Events> } {
  const plain = definition as unknown as AggregateDefinition<State>;
  const personalData = createPersonalData(randomBytes(MASTER_KEY_BYTES));
  const personKey: PersonKey = { id: '1', sealedKey: personalData.newKey() };
  const codec = createCommandCodec(plain, personalData);

  const stored = (name: string, data: unknown, version: number): Stored => {
    const eventId = `00000000-0000-4000-8000-${String(version).padStart(12, '0')}` as EventId;
    const kept: CommandEventData = {
      version,
      schemaVersion: plain.events[name]?.version ?? 1,
      correlationId: eventId,
      causationId: null,
      payload: data,
      personKey,
    };
    const text = codec.encode(name, kept);
    const { payload } = codec.decode(
      name,
      text.startsWith('[') ? text : withKey(text, personKey),
    ) as CommandEventData;
    return {
      name,
      data: payload,
      version,
      eventId,
      timeUs: BigInt(version) * TIME_STEP_US,
      seqNo: BigInt(version) as SeqNo,
      aggregateId,
      actor: '',
      correlationId: eventId,
      causationId: null,
    };
  };

  return {
    given(events) {
      const history = events.map(({ name, data }, i) =>
        stored(name, parseProposed(plain, name, data).data, i + 1),
      );
      const state = history.reduce(
        (before: State, event) => plain.reducer.fold(before, event),
        plain.reducer.initial(aggregateId),
      );
      return {
        state,
        when(command, { expectedVersion } = {}) {
          const proposed = parseProposed(plain, command.name, command.data);
          const marked: Marked | null = history.at(-1) ?? null;
          const decision = decide(plain, proposed, marked, expectedVersion ?? null);
          const produced =
            decision.kind === 'accepted' ? [stored(proposed.name, decision.data, history.length + 1)] : [];
          return outcome(
            decision,
            produced,
            produced.reduce((s, e) => plain.reducer.fold(s, e), state),
          );
        },
      };
    },
  };
}

function outcome<State, Events extends EventsOf>(
  decision: Decision,
  produced: readonly Stored[],
  state: State,
): Outcome<State, Events> {
  const self: Outcome<State, Events> = {
    decision,
    state,
    then(expected) {
      if ('refusedBy' in expected) {
        if (decision.kind === 'accepted') fail(`${expected.refusedBy} was to refuse it, but it was accepted`);
        deepStrictEqual(decision.rule, expected.refusedBy, `refused by ${decision.rule}: ${decision.reason}`);
      } else {
        if (decision.kind === 'refused') fail(`it was refused by ${decision.rule}: ${decision.reason}`);
        deepStrictEqual(
          produced.map(({ name, data }) => ({ name, data })),
          [...expected],
        );
      }
      return self;
    },
    thenState(expected) {
      deepStrictEqual(state, expected);
      return self;
    },
  };
  return self;
}
