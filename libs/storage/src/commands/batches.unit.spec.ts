import { createBatches } from './batches';

/** Batches whose runs are ended by hand. */
function setUp(itemsMax = 10) {
  const runs: { items: readonly string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const batches = createBatches<string, string>({
    itemsMax,
    keysOf: (item) => item.split('+'),
    run: (items) =>
      new Promise((resolve, reject) => {
        runs.push({
          items,
          end: () => resolve(items.map((item) => Promise.resolve(`${item}!`))),
          fail: reject,
        });
      }),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { runs, batches, turn };
}

it('runs what comes in one turn together, and what comes meanwhile next', async () => {
  const { runs, batches, turn } = setUp();
  const first = ['a', 'b'].map(batches);
  await turn();
  const second = ['c', 'd', 'e'].map(batches);
  await turn();
  expect(runs.map(({ items }) => items)).toEqual([['a', 'b']]);
  runs[0]?.end();
  expect(await Promise.all(first)).toEqual(['a!', 'b!']);
  await turn();
  expect(runs[1]?.items).toEqual(['c', 'd', 'e']);
  runs[1]?.end();
  expect(await Promise.all(second)).toEqual(['c!', 'd!', 'e!']);
});

it('takes no more than its bound, and keeps the order of what shares a key', async () => {
  const { runs, batches, turn } = setUp(3);
  const all = ['a', 'a+b', 'b', 'c', 'd', 'e'].map(batches);
  for (let i = 0; i < 4; i++) {
    await turn();
    runs[i]?.end();
    await turn();
  }
  expect(runs.map(({ items }) => items)).toEqual([['a', 'c', 'd'], ['a+b', 'e'], ['b']]);
  await Promise.all(all);
});

it('fails those of a batch with it, and goes on with the next', async () => {
  const { runs, batches, turn } = setUp();
  const first = Promise.allSettled(['a', 'b'].map(batches));
  await turn();
  const next = batches('c');
  runs[0]?.fail(new Error('lost'));
  expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await turn();
  runs[1]?.end();
  expect(await next).toBe('c!');
});
