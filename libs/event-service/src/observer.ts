import {
  BEFORE_FIRST,
  commandSubjectId,
  type CommandEventData,
  type FoldState,
  type Observer,
  type Reducer,
} from '@imart/core';
import type { AggregateDefinition } from './aggregate';
import { storedEvent } from './codec';

/** Part of the key of the checkpoints of command subjects. */
export const COMMAND_OBSERVER = 'commands';

/** The state of a command aggregate. `version` is that of the last event folded. */
export interface AggregateState<State = unknown> extends FoldState {
  /** Time of the last event folded, in microseconds since 1970; 0 before the first. */
  readonly timeUs: bigint;
  readonly value: State;
  /** Keys of persons whose data may be in the value: it is kept nowhere once one of them is gone. Absent: none. */
  readonly personKeys?: readonly string[];
}

/** A definition's reducer as the engine takes it. It has no rows: its states are snapshots and the events after them. */
export function createCommandReducer<State>(
  definition: AggregateDefinition<State>,
): Reducer<AggregateState<State>> {
  const { type, reducer } = definition;
  const initial = (aggregateId: string): AggregateState<State> => ({
    seqNo: BEFORE_FIRST,
    version: 0,
    timeUs: 0n,
    value: reducer.initial(aggregateId),
  });
  return {
    aggregateType: type,
    version: reducer.version,
    tables: [],
    initial,
    restore: initial,
    rowsOf: () => [],
    fold(state, event) {
      const stored = storedEvent(event);
      return {
        state: {
          seqNo: event.seqNo,
          version: stored.version,
          timeUs: stored.timeUs,
          value: reducer.fold(state.value, stored),
          ...personKeysAfter(state.personKeys, (event.data as CommandEventData).personKey?.id),
        },
        rows: [],
        activities: [],
      };
    },
  };
}

function personKeysAfter(
  known: readonly string[] | undefined,
  key: string | undefined,
): Pick<AggregateState, 'personKeys'> {
  if (key === undefined || known?.includes(key) === true)
    return known === undefined ? {} : { personKeys: known };
  return { personKeys: [...(known ?? []), key] };
}

/** Observes the commands of one aggregate type. */
export function createCommandObserver(definition: AggregateDefinition): Observer {
  return {
    name: COMMAND_OBSERVER,
    subjectId: commandSubjectId(definition.type),
    reducers: new Map([[definition.type, createCommandReducer(definition) as Reducer]]),
  };
}
