import { createBell } from './bell';

const never = new AbortController().signal;
const LONG_MS = 1_000_000;

it('wakes everybody who waits, and whoever waits next when nobody did', async () => {
  const bell = createBell();
  const waiting = Promise.all([bell.wait(LONG_MS, never), bell.wait(LONG_MS, never)]);
  bell.ring();
  await waiting;
  bell.ring();
  bell.ring();
  await bell.wait(LONG_MS, never);
  let isAwake = false;
  const next = bell.wait(LONG_MS, never).then(() => {
    isAwake = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAwake).toBe(false);
  bell.ring();
  await next;
});

it('lets go when the time is over or the signal aborts, and leaves no listener behind', async () => {
  const bell = createBell();
  const over = new AbortController();
  await bell.wait(1, over.signal);
  const waiting = bell.wait(LONG_MS, over.signal);
  over.abort();
  await waiting;
  await bell.wait(LONG_MS, over.signal);
});
