import { EventEmitter } from 'node:events';
import { createShutdown, type ShutdownOptions } from './createShutdown';
import type { Logger, LogFields } from './logging/logger';

class FakeProcess extends EventEmitter {
  exitCode: number | undefined;
  readonly exited = new Promise<number>((resolve) => this.once('exited', resolve));
  exit(code: number): void {
    expect(this.exitCode).toBeUndefined();
    this.exitCode = code;
    this.emit('exited', code);
  }
}

function setUp(options: Partial<ShutdownOptions> = {}) {
  const fake = new FakeProcess();
  const lines: { message: string; fields: LogFields }[] = [];
  const write = (message: string, fields: LogFields = {}): number => lines.push({ message, fields });
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  const shutdown = createShutdown({ logger, graceMs: 5000, process: fake, ...options });
  return { fake, lines, shutdown, messages: () => lines.map((line) => line.message) };
}

const never = (): Promise<void> => new Promise(() => undefined);

describe('createShutdown', () => {
  it('closes what was opened last first, one after another, then flushes, then exits with 0 (Q20)', async () => {
    const order: string[] = [];
    const { fake, shutdown } = setUp({ flush: async () => void order.push('flush') });
    shutdown.onClose('database', () => void order.push('database'));
    shutdown.onClose('lanes', async () => {
      order.push('lanes begin');
      await new Promise((resolve) => setImmediate(resolve));
      order.push('lanes end');
    });
    expect(shutdown.signal.aborted).toBe(false);
    fake.emit('SIGTERM');
    expect(shutdown.signal.aborted).toBe(true);
    expect(await fake.exited).toBe(0);
    expect(order).toEqual(['lanes begin', 'lanes end', 'database', 'flush']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once on a second signal: %s gives %i', async (name, code) => {
    const { fake, shutdown } = setUp();
    shutdown.onClose('stuck', never);
    fake.emit('SIGINT');
    expect(fake.exitCode).toBeUndefined();
    fake.emit(name);
    expect(fake.exitCode).toBe(code);
  });

  it('gives up when the grace period is over, says what it waited for, and exits as if killed', async () => {
    const { fake, shutdown, lines } = setUp({ graceMs: 20 });
    shutdown.onClose('never reached', never);
    shutdown.onClose('stuck', never);
    fake.emit('SIGTERM');
    expect(await fake.exited).toBe(143);
    expect(lines).toContainEqual({
      message: 'shutdown took too long, giving up',
      fields: { graceMs: 20, waitingFor: 'stuck' },
    });
  });

  it('goes on when a closer fails, and then exits with 1', async () => {
    const closed: string[] = [];
    const { fake, shutdown, messages } = setUp();
    shutdown.onClose('database', () => void closed.push('database'));
    shutdown.onClose('server', () => {
      throw new Error('already closed');
    });
    await shutdown.stop('the end block is reached');
    expect(closed).toEqual(['database']);
    expect(fake.exitCode).toBe(1);
    expect(messages()).toContain('closing failed');
  });

  it.each(['uncaughtException', 'unhandledRejection'])(
    'logs an %s with its context, closes, and exits with 1 (Q21)',
    async (event) => {
      const { fake, shutdown, lines } = setUp({ context: () => ({ block: 17n }) });
      const closed: string[] = [];
      shutdown.onClose('database', () => void closed.push('database'));
      const error = new Error('surprise');
      fake.emit(event, error);
      expect(await fake.exited).toBe(1);
      expect(closed).toEqual(['database']);
      expect(lines[0]).toMatchObject({
        message: 'unexpected error, stopping',
        fields: { block: 17n, error },
      });
    },
  );

  it('exits with 1 when something unexpected happens during an orderly shutdown', async () => {
    const { fake, shutdown } = setUp();
    shutdown.onClose('server', () => void fake.emit('unhandledRejection', new Error('late')));
    fake.emit('SIGINT');
    expect(await fake.exited).toBe(1);
  });

  it('is one shutdown when those who are told of it ask for it too', async () => {
    const { fake, shutdown, messages } = setUp();
    shutdown.signal.addEventListener('abort', () => void shutdown.stop('the loop has ended', 2));
    shutdown.onClose('server', () => shutdown.stop('closed'));
    fake.emit('SIGTERM');
    fake.emit('SIGTERM');
    expect(fake.exitCode).toBe(143);
    expect(messages().filter((message) => message === 'shutting down')).toHaveLength(1);
  });

  it('ends once, with the code asked for, however often it is asked', async () => {
    const { fake, shutdown } = setUp();
    await Promise.all([shutdown.stop('done', 3), shutdown.stop('again', 4)]);
    expect(fake.exitCode).toBe(3);
    await expect(setUpWithHungFlush()).resolves.toBe(0);
  });

  async function setUpWithHungFlush(): Promise<number> {
    const { fake, shutdown } = setUp({ flush: never });
    void shutdown.stop('done');
    return fake.exited;
  }
});
