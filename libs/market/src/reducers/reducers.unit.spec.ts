import fc from 'fast-check';
import { aggregateKeyText, type Event, type FoldState, type Reducer, type StateRow } from '@imart/core';
import { marketReducers } from '@imart/market';
import { randomHistory } from '@imart/testing';

interface Outcome {
  readonly state: FoldState;
  readonly rows: ReadonlyMap<string, StateRow>;
  readonly activities: readonly unknown[];
}

/** Events by aggregate, with the reducer of each. */
function byAggregate(events: readonly Event[]): { reducer: Reducer; id: string; events: Event[] }[] {
  const groups = new Map<string, { reducer: Reducer; id: string; events: Event[] }>();
  for (const event of events) {
    const key = aggregateKeyText(event.aggregateType, event.aggregateId);
    const group = groups.get(key) ?? {
      reducer: marketReducers.get(event.aggregateType) as Reducer,
      id: event.aggregateId,
      events: [],
    };
    group.events.push(event);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function fold(
  reducer: Reducer,
  from: FoldState,
  events: readonly Event[],
  into: ReadonlyMap<string, StateRow> = new Map(),
): Outcome {
  let state = from;
  const rows = new Map(into);
  const activities: unknown[] = [];
  for (const event of events) {
    const after = reducer.fold(state, event);
    state = after.state;
    for (const row of after.rows) rows.set(`${row.table}/${row.key}`, row);
    activities.push(...after.activities);
  }
  return { state, rows, activities };
}

/** As the database gives them: of each table, the aggregate's newest row. */
function newestRows(reducer: Reducer, rows: ReadonlyMap<string, StateRow>): StateRow[] {
  return reducer.tables.flatMap((table) => {
    const own = [...rows.values()].filter((row) => row.table === table);
    const opened = (row: StateRow): bigint => (row as { openedSeqNo?: bigint }).openedSeqNo ?? 0n;
    own.sort((a, b) => (opened(a) < opened(b) ? 1 : -1));
    return own.slice(0, 1);
  });
}

describe('reducers, over any history', () => {
  it('give the same in two halves as at once', () => {
    fc.assert(
      fc.property(randomHistory, fc.nat(), (history, cut) => {
        for (const { reducer, id, events } of byAggregate(history)) {
          const whole = fold(reducer, reducer.initial(id), events);
          const middle = cut % (events.length + 1);
          const first = fold(reducer, reducer.initial(id), events.slice(0, middle));
          const second = fold(reducer, first.state, events.slice(middle), first.rows);
          expect(second.state).toEqual(whole.state);
          expect(second.rows).toEqual(whole.rows);
          expect([...first.activities, ...second.activities]).toEqual(whole.activities);
        }
      }),
    );
  });

  it('change no rows but those that their state holds, and new ones: others have ended', () => {
    fc.assert(
      fc.property(randomHistory, fc.nat(), (history, cut) => {
        for (const { reducer, id, events } of byAggregate(history)) {
          const middle = cut % (events.length + 1);
          const first = fold(reducer, reducer.initial(id), events.slice(0, middle));
          const held = reducer.rowsOf(first.state);
          expect(reducer.restore(id, held)).toEqual(first.state);
          const ended = new Map(first.rows);
          for (const row of held) {
            expect(ended.get(`${row.table}/${row.key}`)).toEqual(row);
            ended.delete(`${row.table}/${row.key}`);
          }
          const { rows } = fold(reducer, first.state, events.slice(middle), first.rows);
          for (const [key, row] of ended) expect(rows.get(key)).toBe(row);
        }
      }),
    );
  });

  it('go on from restored rows as if they had never stopped', () => {
    fc.assert(
      fc.property(randomHistory, fc.nat(), (history, cut) => {
        for (const { reducer, id, events } of byAggregate(history)) {
          const whole = fold(reducer, reducer.initial(id), events);
          const middle = cut % (events.length + 1);
          const first = fold(reducer, reducer.initial(id), events.slice(0, middle));
          const restored = reducer.restore(id, newestRows(reducer, first.rows));
          expect(restored).toEqual(first.state);
          const second = fold(reducer, restored, events.slice(middle), first.rows);
          expect(second.state).toEqual(whole.state);
          expect(second.rows).toEqual(whole.rows);
        }
      }),
    );
  });

  it('do not change the state and the rows that they are given', () => {
    fc.assert(
      fc.property(randomHistory, (history) => {
        for (const { reducer, id, events } of byAggregate(history)) {
          let state = reducer.initial(id);
          for (const event of events) {
            const before = structuredClone(state);
            const after = reducer.fold(state, event);
            expect(state).toEqual(before);
            state = after.state;
          }
        }
      }),
    );
  });

  it('give a state, rows and activities that carry the place of the event that changed them', () => {
    fc.assert(
      fc.property(randomHistory, (history) => {
        for (const { reducer, id, events } of byAggregate(history)) {
          let state = reducer.initial(id);
          for (const event of events) {
            const after = reducer.fold(state, event);
            if (after.state !== state) {
              expect(after.state.seqNo).toBe(event.seqNo);
              expect(after.state.version).toBe(state.version + 1);
              expect(after.rows.length).toBeGreaterThan(0);
            } else {
              expect(after.rows).toEqual([]);
            }
            for (const row of after.rows)
              expect([row.seqNo, row.version]).toEqual([event.seqNo, after.state.version]);
            // Activities are stored by event and item: no two of one event may share an item.
            expect(after.activities.map((activity) => activity.item)).toEqual(
              after.activities.map((_, i) => i),
            );
            for (const activity of after.activities) expect(activity.event).toBe(event);
            state = after.state;
          }
        }
      }),
    );
  });
});
