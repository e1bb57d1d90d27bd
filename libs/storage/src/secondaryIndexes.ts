import { WorkerError } from '@imart/core';
import type { ClientBase } from 'pg';

/** An index that nothing needs before the first catch-up is over. */
export interface SecondaryIndex {
  readonly name: string;
  readonly table: string;
  /** Columns in order, as SQL. */
  readonly columns: string;
  /** Creates it unless it is there. */
  readonly sql: string;
}

function secondaryIndex(name: string, table: string, columns: string): SecondaryIndex {
  return { name, table, columns, sql: `CREATE INDEX IF NOT EXISTS ${name} ON ${table} (${columns})` };
}

/**
 * The indexes that are not in the migrations, because filling a database is faster without them: built once after the
 * first catch-up. The same lines stand in `schema.prisma`.
 *
 * Addresses come first where a reader may ask without naming the subject, and because an index sorts fastest by a first
 * column that differs. Columns that only sort are left out where equal keys can then share their space: a rare key's rows
 * are sorted after they are found, a frequent key's rows are found by walking the primary key backwards.
 */
export const secondaryIndexes: readonly SecondaryIndex[] = [
  // The events of one aggregate: refold, rollback, late events.
  secondaryIndex('event_log_aggregate_idx', 'event_log', 'subject, aggregate_hash, seq_no'),
  // A token's last sale and history; a collection's sales, volume and history; which collections there are.
  secondaryIndex('activities_collection_idx', 'activities', 'collection, subject, kind, token_id, seq_no'),
  // An account's history.
  secondaryIndex('activities_from_idx', 'activities', 'from_address'),
  secondaryIndex('activities_to_idx', 'activities', 'to_address'),
  // Newest listings first.
  secondaryIndex('orders_opened_idx', 'orders', 'subject, opened_seq_no'),
  // The live listings of a collection or token: floor, listed count; and all of its listings.
  secondaryIndex('orders_collection_idx', 'orders', 'collection, subject, status, token_id'),
  // An account's listings.
  secondaryIndex('orders_seller_idx', 'orders', 'seller'),
  // The same for offers: newest, best offer of a token or collection, an account's.
  secondaryIndex('offers_opened_idx', 'offers', 'subject, opened_seq_no'),
  secondaryIndex('offers_collection_idx', 'offers', 'collection, subject, status, token_id'),
  secondaryIndex('offers_bidder_idx', 'offers', 'bidder'),
  // What an account owns.
  secondaryIndex('tokens_owner_idx', 'tokens', 'owner'),
  secondaryIndex('balances_owner_idx', 'balances', 'owner'),
];

/** Key of `worker_state` under which the state of the indexes stands. */
export const SECONDARY_INDEXES_STATE = 'secondary_indexes';

/** `pending`: not begun; `building`: begun, and gone on with after a crash; `built`: all are there. */
export type SecondaryIndexesState = 'pending' | 'building' | 'built';

/** One index is there. */
export interface SecondaryIndexProgress {
  readonly name: string;
  /** How many are there, this one included. */
  readonly done: number;
  readonly total: number;
  /** `false`: it was there already. */
  readonly built: boolean;
}

/** One process builds at a time; the others wait and find nothing to do. */
const BUILD_LOCK = 72707370;

/** An index's name is taken by something else, so that it cannot be built. Rename or drop what has the name. */
export class SecondaryIndexError extends WorkerError {
  constructor(index: SecondaryIndex) {
    super(
      `index ${index.name} on ${index.table} cannot be built, because another relation has that name: ` +
        'drop or rename that one, and start again',
      { code: 'SECONDARY_INDEX', disposition: 'stop', fields: { index: index.name, table: index.table } },
    );
  }
}

/**
 * Builds what is missing of {@link secondaryIndexes}, each in a transaction of its own: after a crash the next call goes on
 * where it stopped. Looks at the tables, not at the stored state, so it may be called at any time, and must be called after
 * tables have been switched. Writes to a table wait while one of its indexes is built. `client` is not inside a
 * transaction.
 *
 * @throws {SecondaryIndexError} when a name is taken; the indexes before it stay.
 */
export async function ensureSecondaryIndexes(
  client: ClientBase,
  onProgress: (progress: SecondaryIndexProgress) => void = () => undefined,
): Promise<void> {
  await client.query(`SELECT pg_advisory_lock(${BUILD_LOCK})`);
  try {
    const total = secondaryIndexes.length;
    let done = 0;
    for (const index of secondaryIndexes) {
      const missing = !(await isBuilt(client, index));
      if (missing) await build(client, index);
      done += 1;
      onProgress({ name: index.name, done, total, built: missing });
    }
    await storeState(client, 'built');
  } finally {
    // Fails only with the connection, and then the lock is gone with it.
    await client.query(`SELECT pg_advisory_unlock(${BUILD_LOCK})`).catch(() => undefined);
  }
}

/** What is stored of the indexes. */
export async function readSecondaryIndexesState(client: ClientBase): Promise<SecondaryIndexesState> {
  const { rows } = await client.query<{ value: string }>('SELECT value FROM worker_state WHERE key = $1', [
    SECONDARY_INDEXES_STATE,
  ]);
  return toSecondaryIndexesState(rows[0]?.value);
}

/** Reads the stored text; anything unknown counts as not begun. */
export function toSecondaryIndexesState(value: string | undefined): SecondaryIndexesState {
  return value === 'built' || value === 'building' ? value : 'pending';
}

async function build(client: ClientBase, index: SecondaryIndex): Promise<void> {
  await storeState(client, 'building');
  await client.query(index.sql);
  if (!(await isBuilt(client, index))) throw new SecondaryIndexError(index);
}

async function isBuilt(client: ClientBase, index: SecondaryIndex): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = to_regclass($1) AND c.relname = $2 AND i.indisvalid`,
    [index.table, index.name],
  );
  return rows.length > 0;
}

async function storeState(client: ClientBase, state: SecondaryIndexesState): Promise<void> {
  await client.query(
    `INSERT INTO worker_state (key, value) VALUES ($1, $2)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE worker_state.value <> excluded.value`,
    [SECONDARY_INDEXES_STATE, state],
  );
}
