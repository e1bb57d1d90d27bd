import type { PoolClient } from 'pg';
import { runScript, type ScriptStep, type TextRow } from './script';

/** A transaction on a connection, whose writes wait for company. */
export interface WriteBehind {
  /** For whatever else is asked: what waits is written first. */
  readonly client: PoolClient;
  /** How often anything was asked or written: what was read under a lock holds for as long as this does not change. */
  readonly steps: number;
  /** Is run before whatever is asked next, at the latest by `commit`: its failure comes up there. */
  write(...steps: readonly ScriptStep[]): void;
  /** Runs what waits, then these statements, in one way to the server and back. @returns the rows of each of these. */
  ask(...statements: readonly string[]): Promise<readonly (readonly TextRow[])[]>;
  /** Runs what waits, and commits, in one way to the server and back. */
  commit(): Promise<void>;
}

/**
 * Begins a transaction whose writes go to the server together. At the head a run's rows are few, and the ways there and back
 * between a dozen statements take longer than the statements.
 */
export function writeBehind(client: PoolClient): WriteBehind {
  let waiting: ScriptStep[] = [{ statement: 'BEGIN' }];
  let steps = 0;
  const run = (...more: readonly ScriptStep[]): Promise<readonly (readonly TextRow[])[]> => {
    const script = [...waiting, ...more];
    waiting = [];
    return runScript(client, script);
  };
  const query = (...args: unknown[]): unknown => {
    steps++;
    const ask = (): unknown => (client.query as (...args: unknown[]) => unknown)(...args);
    return waiting.length === 0 ? ask() : run().then(ask);
  };
  return {
    // Everything but `query` is the connection's own.
    client: Object.create(client, { query: { value: query } }) as PoolClient,
    get steps() {
      return steps;
    },
    write(...more) {
      steps++;
      waiting.push(...more);
    },
    async ask(...statements) {
      steps++;
      const results = await run(...statements.map((statement) => ({ statement })));
      return results.slice(-statements.length);
    },
    async commit() {
      await run({ statement: 'COMMIT' });
    },
  };
}
