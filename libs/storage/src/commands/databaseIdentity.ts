import type { Pool } from 'pg';
import { translated } from './session';

/**
 * Tells this database from every other one, also from itself restored into another cluster: the cluster's number, and the database's in
 * it. For names of what is kept about it elsewhere.
 */
export function readDatabaseIdentity(pool: Pool): Promise<string> {
  return translated(async () => {
    const { rows } = await pool.query(
      `SELECT system_identifier::text || '-' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS identity
       FROM pg_control_system()`,
    );
    return (rows[0] as { identity: string }).identity;
  });
}
