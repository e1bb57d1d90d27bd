import { createBell } from './bell';
import { createKeyedQueue } from './keyedQueue';
import type { PositionFate } from './ports';
import { waitForPosition } from './waitFor';

const never = new AbortController().signal;

describe('a bell', () => {
  it('ends a wait, also one that begins after it rang; then it is silent again', async () => {
    const bell = createBell();
    const waiting = bell.wait(60_000, never);
    bell.ring();
    await waiting;
    bell.ring();
    await bell.wait(60_000, never);
    let over = false;
    const silent = bell.wait(60_000, never).then(() => (over = true));
    await Promise.resolve();
    expect(over).toBe(false);
    bell.ring();
    await silent;
  });
});

describe('a keyed queue', () => {
  it('lets work on one key line up, whatever fails before it, and other keys pass', async () => {
    const queue = createKeyedQueue();
    const order: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = queue.run('a', async () => {
      await held;
      order.push('a1');
      throw new Error('a1');
    });
    const second = queue.run('a', async () => order.push('a2'));
    await queue.run('b', async () => order.push('b'));
    release();
    await expect(first).rejects.toThrow('a1');
    await second;
    expect(order).toEqual(['b', 'a1', 'a2']);
  });
});

describe('waiting for a position', () => {
  const fates = (...kinds: PositionFate['kind'][]) => {
    let looks = 0;
    return async (): Promise<PositionFate> =>
      ({ kind: kinds[Math.min(looks++, kinds.length - 1)] }) as PositionFate;
  };

  it('looks until it is decided', async () => {
    const fate = await waitForPosition(fates('pending', 'pending', 'executed'), { timeoutMs: 60_000 });
    expect(fate.kind).toBe('executed');
  });

  it('looks once at least, and ends with its time', async () => {
    expect((await waitForPosition(fates('executed'), { timeoutMs: 0 })).kind).toBe('executed');
    expect((await waitForPosition(fates('pending'), { timeoutMs: 10 })).kind).toBe('pending');
  });
});
