import { SUBJECTS_LOCK } from '../subject/openSubject';
import { waitingFor } from './sideSessions';
import type { Counts } from './counts';
import { foldHere } from './foldSubject';
import type { ReplayOptions } from './options';
import { foldedBefore, readSubjects, type ReplayedSubject } from './replayedSubjects';
import type { Session } from './session';
import { eraseTouched } from './touched';

/**
 * Workers went on while the log was folded: the aggregates that they touched are folded again, whole, until nobody is ahead.
 * Then ingests and lanes wait, in the order in which they lock, until the transaction that is open now ends.
 * @returns how far each subject is folded.
 */
export async function lockBehindWorkers(
  options: ReplayOptions,
  control: Session,
  first: readonly ReplayedSubject[],
  counts: Counts,
): Promise<readonly ReplayedSubject[]> {
  for (let folded = first; ;) {
    await waitingFor(options, control, async () => {
      await control.query('BEGIN');
      await control.query(`SELECT pg_advisory_xact_lock(${SUBJECTS_LOCK})`);
      await control.query('SELECT id FROM subjects ORDER BY id FOR UPDATE');
      await control.query('SELECT lane FROM checkpoints ORDER BY observer, subject, lane FOR UPDATE');
    });
    const now = await readSubjects(options, control);
    const ahead = now.filter((subject) => {
      const before = foldedBefore(folded, subject);
      return (
        subject.epoch !== before.epoch || subject.lanes.some((seqNo, lane) => seqNo !== before.lanes[lane])
      );
    });
    if (ahead.length === 0) return folded;
    // Nobody waits while the rest is folded.
    await control.query('COMMIT');
    for (const subject of ahead) {
      const hashes = await eraseTouched(options, control, foldedBefore(folded, subject), subject, counts);
      if (hashes.length > 0) await foldHere(options, control, subject, { only: hashes }, counts);
    }
    folded = now;
  }
}
