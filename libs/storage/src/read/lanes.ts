import { Prisma } from '../generated/client';
import type { Reads } from './database';
import { IS_CHAIN } from './sql';

/** A lane that some observer of a subject has. */
export interface ObservedLane {
  readonly observer: string;
  readonly subject: string;
  readonly lane: number;
}

/** Every lane of every observer of a chain, by subject, observer and number. */
export function readLanes(db: Reads): Promise<ObservedLane[]> {
  return db.query<ObservedLane>(Prisma.sql`
    SELECT c.observer, s.subject_id AS subject, c.lane::int AS lane
    FROM checkpoints c JOIN subjects s ON s.id = c.subject AND ${IS_CHAIN}
    ORDER BY s.subject_id, c.observer, c.lane`);
}
