import { anyAggregate, defineAggregate } from '@imart/event-service';
import { stockItem, until, type StockEvents, type StockState } from '@imart/testing';
import { startCommandApi, type CommandApi } from '../testing/commandApi';

let api: CommandApi;

const poisoned = defineAggregate<StockState, StockEvents>({
  ...stockItem,
  reducer: {
    ...stockItem.reducer,
    fold(state, event) {
      if (event.aggregateId === 'bad') throw new Error('on purpose');
      return stockItem.reducer.fold(state, event);
    },
  },
});

beforeAll(async () => {
  api = await startCommandApi([anyAggregate(poisoned)]);
});
afterAll(() => api?.stop());

const add = (id: string): Promise<unknown> =>
  api.side.service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 } });

/** The value of a metric of the type, with these further labels. */
async function metric(name: string, labels = ''): Promise<number> {
  const { body } = await api.get('/metrics');
  const line = (body as string)
    .split('\n')
    .find(
      (one) => one.startsWith(`imart_${name}{`) && one.includes('type="stock-item"') && one.includes(labels),
    );
  return Number(line?.split(' ').at(-1) ?? 'NaN');
}

describe('metrics of commands', () => {
  it('tell how old the oldest unprocessed event of each lane is, who is in the way, and what is set aside (E25)', async () => {
    await add('a');
    await add('bad');
    await api.pool.query('UPDATE command_outbox SET time_us = time_us - 5000000');
    await api.pool.query(`UPDATE command_markers SET marked_at = marked_at - interval '7 s'`);
    expect(await metric('command_pending')).toBe(2);
    expect(await metric('command_pending_oldest_seconds')).toBeGreaterThanOrEqual(5);
    expect(await metric('command_marker_oldest_seconds')).toBeGreaterThanOrEqual(7);
    expect(await metric('command_blocking_pid')).toBe(0);

    // Somebody holds the subject: nothing is appended, and the metric says who.
    const holder = await api.pool.connect();
    await holder.query('BEGIN');
    const { pid } = (await holder.query('SELECT pg_backend_pid() AS pid, id FROM subjects FOR UPDATE'))
      .rows[0] as { pid: number };
    api.work();
    await until(async () => (await metric('command_blocking_pid')) === pid);
    await holder.query('ROLLBACK');
    holder.release();

    await until(async () => (await metric('command_parked_aggregates')) === 1);
    await until(async () => (await metric('command_pending')) === 0);
    expect(await metric('command_events_total')).toBe(2);
    expect(await metric('command_snapshot_distance_events')).toBe(1);
    expect(await metric('command_working')).toBe(1);
    await until(
      async () => (await metric('command_subscription_changes_behind', 'subscription="snapshots"')) === 0,
    );

    // A lane that stands still: its checkpoint is behind the log.
    await api.pool.query("UPDATE feed SET committed_at = committed_at - interval '9 s'");
    const slow = await api.pool.connect();
    await slow.query('BEGIN');
    await slow.query('SELECT * FROM checkpoints FOR UPDATE');
    await add('a');
    await until(
      async () =>
        Math.max(
          await metric('command_lane_oldest_seconds', 'lane="0"'),
          await metric('command_lane_oldest_seconds', 'lane="1"'),
        ) > 0,
    );
    await slow.query('ROLLBACK');
    slow.release();
    await until(
      async () =>
        (await metric('command_lane_oldest_seconds', 'lane="0"')) +
          (await metric('command_lane_oldest_seconds', 'lane="1"')) ===
        0,
    );
  });
});
