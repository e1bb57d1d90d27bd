import type { ClientBase } from 'pg';

/** What replay rebuilds. */
export const REPLAYED_TABLES = [
  'orders',
  'offers',
  'tokens',
  'balances',
  'collections',
  'makers',
  'token_details',
  'claims',
  'galleries',
  'curation_offers',
  'exhibits',
  'commissions',
  'lotteries',
  'prizes',
  'activities',
] as const;

const FRESH = 'replay_';
const OLD = 'before_replay_';

export const freshName = (table: string): string => `${FRESH}${table}`;

/** Empty tables beside the live ones, without indexes: they are filled faster. Leftovers of an interrupted replay go. */
export async function createFreshTables(client: ClientBase): Promise<void> {
  for (const table of REPLAYED_TABLES) {
    await client.query(`DROP TABLE IF EXISTS "${freshName(table)}"`);
    await client.query(
      `CREATE TABLE "${freshName(table)}" (LIKE "${table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`,
    );
  }
}

export async function dropFreshTables(client: ClientBase): Promise<void> {
  for (const table of REPLAYED_TABLES) await client.query(`DROP TABLE IF EXISTS "${freshName(table)}"`);
}

/** Statements that give a fresh table what the live one has. */
export interface IndexStatements {
  /** Builds indexes, the primary key's among them. Those of one table may run at the same time. */
  readonly build: readonly string[];
  /** Makes the built one the primary key: takes no time, and the table for itself. */
  readonly attach: readonly string[];
}

/** The indexes of a live table for its fresh one, under names of their own. */
export async function indexStatements(client: ClientBase, table: string): Promise<IndexStatements> {
  const { rows } = await client.query(
    `SELECT i.relname AS name, pg_get_indexdef(x.indexrelid) AS definition, x.indisprimary AS is_primary
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $1::regclass ORDER BY x.indisprimary DESC, i.relname`,
    [table],
  );
  const indexes = rows as { name: string; definition: string; is_primary: boolean }[];
  return {
    build: indexes.map(({ name, definition }) =>
      definition
        .replace(` INDEX ${name} ON `, ` INDEX ${FRESH}${name} ON `)
        .replace(/ ON (?:ONLY )?(?:\w+\.)?\w+ USING /, ` ON "${freshName(table)}" USING `),
    ),
    attach: indexes
      .filter((index) => index.is_primary)
      .map(
        ({ name }) =>
          `ALTER TABLE "${freshName(table)}" ADD CONSTRAINT "${FRESH}${name}" PRIMARY KEY USING INDEX "${FRESH}${name}"`,
      ),
  };
}

/** Of each table. Who wants to read it meanwhile stands behind us. */
const LOCK_TIMEOUT_MS = 250;

/** SQLSTATE: not had within the time; a deadlock with whoever takes tables in another order. */
const NOT_HAD = new Set(['55P03', '40P01']);

/**
 * Takes the live tables for the caller's transaction alone, unless somebody reads them for long: everybody who came later would wait for
 * that one, too.
 * @returns whether they were had; if not, the transaction has failed.
 */
export async function takeTables(client: ClientBase): Promise<boolean> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  try {
    await client.query(`LOCK TABLE ${REPLAYED_TABLES.map((table) => `"${table}"`).join(', ')}`);
  } catch (error) {
    if (NOT_HAD.has(String((error as { code?: unknown }).code))) return false;
    throw error;
  }
  await client.query('SET LOCAL lock_timeout TO DEFAULT');
  return true;
}

/** Who has locks on the live tables now, for people. */
export async function usersOfTables(client: ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query(
    `SELECT DISTINCT format('%s (pid %s)', coalesce(nullif(a.application_name, ''), a.usename), l.pid) AS name
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.relation = ANY($1::regclass[])
       AND l.granted AND l.pid <> pg_backend_pid() ORDER BY 1`,
    [REPLAYED_TABLES],
  );
  return (rows as { name: string }[]).map(({ name }) => name);
}

/**
 * Puts the fresh tables in the place of the live ones, with their names and the names of their indexes. Runs inside the
 * caller's transaction, which has taken the live ones; readers see the old tables until it commits, and the new ones after.
 */
export async function switchTables(client: ClientBase, redefineViews: () => Promise<void>): Promise<void> {
  for (const table of REPLAYED_TABLES) {
    await copyGrants(client, table);
    await client.query(`ALTER TABLE "${table}" RENAME TO "${OLD}${table}"`);
    await client.query(`ALTER TABLE "${freshName(table)}" RENAME TO "${table}"`);
  }
  await redefineViews();
  for (const table of REPLAYED_TABLES) await client.query(`DROP TABLE "${OLD}${table}"`);
  const { rows } = await client.query(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_index x ON x.indexrelid = c.oid
     WHERE x.indrelid = ANY($1::regclass[]) AND starts_with(c.relname, $2)`,
    [REPLAYED_TABLES, FRESH],
  );
  for (const { name } of rows as { name: string }[]) {
    await client.query(`ALTER INDEX "${name}" RENAME TO "${name.slice(FRESH.length)}"`);
  }
}

/** Whoever may read the live table may read the fresh one. */
async function copyGrants(client: ClientBase, table: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT format('GRANT %s ON %I TO %s', a.privilege_type, $2::text,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS statement
     FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner`,
    [table, freshName(table)],
  );
  for (const { statement } of rows as { statement: string }[]) await client.query(statement);
}
