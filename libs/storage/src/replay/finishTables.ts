import { compareTable, fingerprint, type TableDifference } from './compareTables';
import { twoAtATime } from './sideSessions';
import { freshName, indexStatements, REPLAYED_TABLES } from './freshTables';
import type { ReplayOptions } from './options';
import type { Session } from './session';

/** The largest first. */
const BY_SIZE = [...REPLAYED_TABLES].reverse();

export async function buildIndexes(options: ReplayOptions, control: Session): Promise<void> {
  const builds: string[] = [];
  const keys: string[] = [];
  for (const table of BY_SIZE) {
    const { build, attach } = await indexStatements(control, table);
    builds.push(...build);
    keys.push(...attach);
  }
  const run = async (client: Session, statement: string): Promise<void> => {
    await client.query(statement);
  };
  await twoAtATime(options, control, builds, run);
  for (const statement of keys) await run(control, statement);
}

/**
 * The live tables stand still meanwhile: the caller holds the workers' locks. The fresh ones get their statistics beside it,
 * which readers' plans need from the first moment on.
 */
export async function compareTables(
  options: ReplayOptions,
  control: Session,
): Promise<readonly TableDifference[]> {
  const fingerprints = new Map<string, string>();
  const takeFingerprint = (name: string) => async (client: Session) => {
    fingerprints.set(name, await fingerprint(client, name));
  };
  // From 9,000 rows, not 30,000: enough for plans, in a quarter of the time; autovacuum takes its own later.
  const analyze = (table: string) => async (client: Session) => {
    await client.query('SET default_statistics_target = 30');
    await client.query(`ANALYZE "${freshName(table)}"`);
    await client.query('RESET default_statistics_target');
  };
  const tasks = [
    ...BY_SIZE.flatMap((table) => [takeFingerprint(table), takeFingerprint(freshName(table))]),
    ...BY_SIZE.map(analyze),
  ];
  await twoAtATime(options, control, tasks, (client, task) => task(client));
  const differences: TableDifference[] = [];
  const unequal = REPLAYED_TABLES.filter(
    (table) => fingerprints.get(table) !== fingerprints.get(freshName(table)),
  );
  await twoAtATime(options, control, unequal, async (client, table) => {
    const difference = await compareTable(client, table);
    if (difference !== null) differences.push(difference);
  });
  return differences;
}
