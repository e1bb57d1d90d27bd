import { Client } from 'pg';

/** A transaction that stays open, as another program might leave one. */
export interface HeldLock {
  /** Runs a statement inside the transaction. */
  run(statement: string): Promise<void>;
  release(): Promise<void>;
}

/** Takes what the statement locks, and keeps it until `release`. */
export async function lock(url: string, statement: string): Promise<HeldLock> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement);
  return {
    async run(sql) {
      await client.query(sql);
    },
    release: () => client.end(),
  };
}
