import { WRITERS_LOCK } from './foldPart';
import type { Session } from './session';

const REPLAY_LOCK = 72707371;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * @returns whether it is held: no other replay runs, and nobody writes for an earlier one any more. Connections of one that was killed are
 * there until the server has noticed.
 */
export async function holdReplayLock(control: Session, patienceMs: number): Promise<boolean> {
  const { rows } = await control.query(`SELECT pg_try_advisory_lock(${REPLAY_LOCK}) AS ours`);
  if (!(rows[0] as { ours: boolean }).ours) return false;
  await control.query(`SET lock_timeout = ${patienceMs}`);
  try {
    await control.query(`SELECT pg_advisory_lock(${WRITERS_LOCK})`);
    await control.query(`SELECT pg_advisory_unlock(${WRITERS_LOCK})`);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    await control.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`);
    return false;
  } finally {
    await control.query('RESET lock_timeout').catch(() => undefined);
  }
}

/** After {@link holdReplayLock}. Lost with its connection as well. */
export async function releaseReplayLock(control: Session): Promise<void> {
  await control.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`);
}
