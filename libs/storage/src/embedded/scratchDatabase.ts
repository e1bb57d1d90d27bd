import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A database of one's own. */
export interface ScratchDatabase {
  readonly name: string;
  readonly url: string;
  /** Ends its sessions and removes it. May be called again. */
  drop(): Promise<void>;
}

/**
 * Makes an empty database with a unique name on the server that `adminUrl` names. Its user must be allowed to create
 * databases. Databases whose `drop` was never called stay: their names begin with `imart_scratch_`.
 */
export async function createScratchDatabase(adminUrl: string): Promise<ScratchDatabase> {
  const name = `imart_scratch_${randomBytes(8).toString('hex')}`;
  // template0 is never connected to, so others may create databases at the same time.
  await runOn(adminUrl, `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    drop: () => runOn(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function runOn(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
