import type { ClientBase, Pool } from 'pg';
import { WorkerError, type Observer } from '@imart/core';

/** Key of `worker_state` under which stands which versions of the reducers the states are of. */
const REDUCER_VERSIONS = 'reducer-versions';

/** SQL: the stored text, or NULL. */
export const SELECT_REDUCER_VERSIONS = `(SELECT value FROM worker_state WHERE key = '${REDUCER_VERSIONS}')`;

/** The states of the database were made by other versions of the reducers than this program's. */
export class ReducersChangedError extends WorkerError {
  constructor(stored: string, own: string) {
    super(
      `the states are of the reducers ${stored}, this program has ${own}: it does not touch them. Run the newest version only; ` +
        `the first process of it that starts rebuilds the states`,
      { code: 'REDUCERS_CHANGED', disposition: 'stop', fields: { stored, own } },
    );
  }
}

/** The versions of an observer's reducers as one text: `collection:1,order:2`. */
export function reducerVersionsText({ reducers }: Pick<Observer, 'reducers'>): string {
  return textOf(new Map([...reducers].map(([type, { version }]) => [type, version])));
}

function textOf(versions: ReadonlyMap<string, number>): string {
  return [...versions]
    .map(([type, version]) => `${type}:${version}`)
    .sort()
    .join(',');
}

function versionsOf(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(',').map((entry) => {
      const [type = '', version] = entry.split(':');
      return [type, Number(version)];
    }),
  );
}

/**
 * Whether a program with the versions `own` is newer than one with `stored`: no reducer is older, and one is newer. A reducer that only
 * one of them has counts as version 0 of the other.
 */
export function compareReducers(stored: string, own: string): 'same' | 'newer' | 'older' {
  if (stored === own) return 'same';
  const [before, now] = [versionsOf(stored), versionsOf(own)];
  const types = new Set([...before.keys(), ...now.keys()]);
  const isOlder = [...types].some((type) => (now.get(type) ?? 0) < (before.get(type) ?? 0));
  return isOlder ? 'older' : 'newer';
}

/**
 * Which versions the states are of. Where nothing is written down, it is: what this program has, when there are no states yet; else the
 * first version of each reducer, which is all that programs had that did not write it down.
 */
export async function storedReducerVersions(pool: Pool, observer: Observer): Promise<string> {
  const own = reducerVersionsText(observer);
  const first = textOf(new Map([...observer.reducers.keys()].map((type) => [type, 1])));
  await pool.query(
    `INSERT INTO worker_state (key, value)
     SELECT '${REDUCER_VERSIONS}', CASE WHEN EXISTS (SELECT FROM checkpoints WHERE observer = $3 AND seq_no >= 0) THEN $2 ELSE $1 END
     ON CONFLICT DO NOTHING`,
    [own, first, observer.name],
  );
  const { rows } = await pool.query(`SELECT ${SELECT_REDUCER_VERSIONS} AS text`);
  return (rows[0] as { text: string }).text;
}

const keepsRows = ({ reducers }: Pick<Observer, 'reducers'>): boolean =>
  [...reducers.values()].some(({ tables }) => tables.length > 0);

/** In the transaction that puts the states of these reducers in the place of others. */
export async function writeReducerVersions(client: ClientBase, observer: Observer): Promise<void> {
  await client.query(
    `INSERT INTO worker_state (key, value) VALUES ('${REDUCER_VERSIONS}', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    [reducerVersionsText(observer)],
  );
}

/**
 * That the states are of this observer's reducers.
 * @param stored as {@link SELECT_REDUCER_VERSIONS} gives it; `null`: nothing is written down.
 * @throws {ReducersChangedError}
 */
export function mustBeOfReducers(stored: string | null, observer: Observer): void {
  // States without rows are snapshots, each of which names its reducer's version.
  if (!keepsRows(observer)) return;
  const own = reducerVersionsText(observer);
  if (stored !== null && stored !== own) throw new ReducersChangedError(stored, own);
}
