import { setMaxListeners } from 'node:events';
import type { SubjectStore, SubjectTransaction } from '@imart/pipeline';
import { StorageUnavailableError } from '@imart/pipeline';
import type { Random } from '../devnet/src/random';
import type { FaultPoints, Moment } from './faultPoints';
import { turns } from './virtualTime';

/** Longest stand-still of a frozen process, in turns: longer than another process needs to take over. */
const FREEZE_TURNS_MAX = 400;

/**
 * One process of the worker, as far as its ports see it. When it dies, none of its calls ever answers again, and what it had
 * not committed is rolled back, as a server does whose client's connection broke.
 */
export interface MortalProcess {
  readonly name: string;
  readonly dead: boolean;
  /** Aborts when the process dies. */
  readonly signal: AbortSignal;
  kill(): void;
  /** Passes a point; never resolves in a process that is dead. @throws a passing error that is planned here. */
  point(call: string, moment: Moment): Promise<void>;
  /** A port of this process: each of its calls passes a point before and after it. */
  port<T extends object>(name: string, port: T): T;
  store<T extends SubjectStore>(store: T): T;
}

export interface MortalProcessOptions {
  readonly name: string;
  readonly points: FaultPoints;
  readonly random: Random;
  /** Called once, when it dies at a point. */
  readonly onDeath: () => void;
}

/** Ends the transaction of a dead process. Nobody sees it. */
class ProcessDied extends Error {}

const forever = (): Promise<never> => new Promise(() => undefined);

export function createMortalProcess(options: MortalProcessOptions): MortalProcess {
  const { name, points, random, onDeath } = options;
  const dying = new AbortController();
  // Everything that a process does waits on it.
  setMaxListeners(0, dying.signal);
  /** How each open transaction ends when the process dies. */
  const open = new Set<() => void>();
  let thawed: Promise<void> = Promise.resolve();
  let dead = false;

  const kill = (): void => {
    if (dead) return;
    dead = true;
    dying.abort();
    for (const rollBack of open) rollBack();
    onDeath();
  };

  const point = async (call: string, moment: Moment): Promise<void> => {
    if (dead) return forever();
    // Others get in between, here more, there less.
    if (random.chance(0.3)) await turns(1 + random.below(3));
    await thawed;
    if (dead) return forever();
    switch (points.pass({ process: name, call, moment })) {
      case 'crash':
        kill();
        return forever();
      case 'freeze':
        thawed = turns(1 + random.below(FREEZE_TURNS_MAX));
        await thawed;
        return dead ? forever() : undefined;
      case 'error':
        throw new StorageUnavailableError(`simulated ${moment} ${call}`, undefined);
      case undefined:
    }
  };

  const call = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
    await point(what, 'before');
    if (dead) return forever();
    const result = await work();
    await point(what, 'after');
    return result;
  };

  const port = <T extends object>(label: string, target: T, through = call): T =>
    new Proxy(target, {
      get(_target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          through(`${label}.${String(key)}`, () => Reflect.apply(value, target, args) as unknown);
      },
    });

  const transaction = async <T>(
    store: SubjectStore,
    work: (tx: SubjectTransaction) => Promise<T>,
  ): Promise<T> => {
    await point('transaction.begin', 'before');
    if (dead) return forever();
    /** Locks that it waits for: the server learns that the client is gone when it has given them. */
    const locking = new Set<Promise<unknown>>();
    const statement = async <R>(what: string, run: () => R | Promise<R>): Promise<R> => {
      await point(what, 'before');
      // Something else of this process may have killed it since.
      if (dead) return forever();
      const result = Promise.resolve(run());
      if (what.startsWith('transaction.lock')) {
        locking.add(result);
        void result.finally(() => locking.delete(result)).catch(() => undefined);
      }
      await result;
      await point(what, 'after');
      return result;
    };
    let rollBack: () => void = () => undefined;
    const died = new Promise<never>((_, reject) => {
      rollBack = () => void Promise.allSettled([...locking]).then(() => reject(new ProcessDied()));
    });
    died.catch(() => undefined);
    open.add(rollBack);
    let result: T;
    try {
      result = await store.transaction(async (tx) => {
        const done = await Promise.race([work(port('transaction', tx, statement)), died]);
        await Promise.race([point('transaction.commit', 'before'), died]);
        return done;
      });
    } catch (error) {
      if (dead) return forever();
      throw error;
    } finally {
      open.delete(rollBack);
    }
    await point('transaction.commit', 'after');
    return result;
  };

  const own: MortalProcess = {
    name,
    get dead() {
      return dead;
    },
    signal: dying.signal,
    kill,
    point,
    port: (label, target) => port(label, target),
    store<S extends SubjectStore>(store: S): S {
      const through = port('store', store);
      return new Proxy(store, {
        get(target, key) {
          // The same port again, under another name.
          if (key === 'fenced') return (fencing: bigint) => own.store(target.fenced(fencing));
          if (key !== 'transaction') return Reflect.get(through, key);
          return <T>(work: (tx: SubjectTransaction) => Promise<T>) => transaction(target, work);
        },
      });
    },
  };
  return own;
}
