import type { EmbeddedPostgres } from '@imart/storage';
import { createRandom, type Random } from '../devnet/src/random';
import { query } from '../realdata/tables';
import type { Program } from './programs';
import { until } from './until';

/** `IMART_SEED` repeats a run's random moments. */
export function chooseSeed(): number {
  const given = process.env['IMART_SEED'];
  return given === undefined || given === '' ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export type Victim = 'worker' | 'database' | 'both';

/** In random order, each kind at least once. */
export function chooseVictims(random: Random): readonly Victim[] {
  const left: Victim[] = ['worker', 'worker', 'database', 'database', 'both'];
  const victims: Victim[] = [];
  while (left.length > 0) victims.push(...left.splice(random.below(left.length), 1));
  return victims;
}

export { createRandom, type Random };

/**
 * kill -9 of what is named; the server is started again by its holder, the worker by `startWorker`. Resolves with the
 * worker that works on, when the database answers again.
 * @throws when the worker does not outlive its database.
 */
export async function killAndRestart(
  victim: Victim,
  server: EmbeddedPostgres,
  url: string,
  worker: Program,
  startWorker: () => Program,
): Promise<Program> {
  const postmaster = server.pid;
  if (victim !== 'worker') process.kill(postmaster, 'SIGKILL');
  let working = worker;
  if (victim !== 'database') {
    worker.kill('SIGKILL');
    const { signal, code } = await worker.ended;
    if (signal !== 'SIGKILL')
      throw new Error(`the worker was over before it was killed (${code}):\n${worker.said()}`);
    working = startWorker();
  }
  if (victim !== 'worker') {
    await until(
      'the database is back',
      async () => server.pid !== postmaster && (await query(url, 'SELECT 1')).length === 1,
    );
  }
  if (victim === 'database' && !working.isRunning()) {
    throw new Error(`the worker ended with its database:\n${working.said()}`);
  }
  return working;
}
