import { readFileSync } from 'node:fs';
import type { ClientBase, Pool } from 'pg';

/** Serialises processes that define the views at the same time: CREATE OR REPLACE VIEW fails when two do so at once. */
const VIEWS_LOCK = 7270737;

/**
 * Defines the views over the tables of state. May be run any number of times, and must be run after tables were switched:
 * a view stays bound to the table it was defined on.
 */
export async function applyViews(db: Pool | ClientBase, viewsFile: string): Promise<void> {
  const definitions = readFileSync(viewsFile, 'utf8');
  // One simple query is one transaction: all views, or none.
  await db.query(`SELECT pg_advisory_xact_lock(${VIEWS_LOCK}); ${definitions}`);
}
