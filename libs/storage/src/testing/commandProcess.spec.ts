import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { anyAggregate, createEventService, createEventWorker } from '@imart/event-service';
// Not by their package: all of it can be loaded in a test runner only.
import { silentLogger } from '../../../testing/src/silentLogger';
import { stockItem } from '../../../testing/src/stockItem';
import { openCommands } from '../commands';

/**
 * A program for specs: works on the commands of the stock item, and asks for some itself, each with an idempotency key of its own; started
 * again under its name it asks for the same. Ends by itself once all are answered.
 */
async function main(url: string, name: string, requests: number): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 8 });
  const definition = anyAggregate(stockItem);
  const { store } = await openCommands({ pool, definition });
  const worker = createEventWorker({
    definition,
    store,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.now(),
    parkedAggregatesMax: 10,
    appendEventsMax: 3,
    pollMs: 5,
  });
  const over = new AbortController();
  const running = worker.run(over.signal);
  const service = createEventService({
    stores: new Map([['stock-item', { definition, store }]]),
    newId: randomUUID,
    random: Math.random,
    onAccepted: () => worker.wake(),
  });
  for (let i = 0; i < requests; i++) {
    const id = `item-${i % 5}`;
    await service.request({
      type: 'stock-item',
      id,
      name: 'Added',
      data: { quantity: 1 },
      idempotencyKey: `${name}-${i}`,
    });
  }
  over.abort();
  await running;
  await pool.end();
}

void main(process.argv[2] ?? '', process.argv[3] ?? '', Number(process.argv[4]));
