import type { IngestLeases, SubjectStore } from '@imart/pipeline';

/** Leases of one subject in memory, by the world's time: what the database keeps for all processes. */
export interface SimulatedLeases extends IngestLeases {
  /** The number of the newest holder. */
  newest(): bigint;
}

/** @param store whose lock the number changes hands under. */
export function createSimulatedLeases(now: () => number, store: () => SubjectStore): SimulatedLeases {
  let held: { holder: string; until: number } | null = null;
  let fencing = 0n;
  return {
    newest: () => fencing,
    acquire: (holder, durationMs) =>
      store().transaction(async (tx) => {
        await tx.lockIngest();
        if (held !== null && held.until > now()) {
          return { kind: 'held', holder: held.holder, expiresInMs: held.until - now() };
        }
        held = { holder, until: now() + durationMs };
        fencing++;
        return { kind: 'acquired', fencing };
      }),
    async renew(number, durationMs) {
      if (number !== fencing || held === null) return false;
      held = { ...held, until: now() + durationMs };
      return true;
    },
    async release(number) {
      if (number === fencing) held = null;
    },
  };
}
