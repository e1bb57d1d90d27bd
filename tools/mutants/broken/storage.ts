import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const at =
  (file: string) =>
  (search: string, replace: string): Patch => ({
    file: `libs/storage/src/subject/${file}.ts`,
    search,
    replace,
  });
const CONTRACT = (only: string): Suite => ({
  files: ['libs/storage/src/subject/subjectStore.int.spec.ts'],
  only,
});

/** What PostgreSQL keeps. */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-fencing',
    breaks: 'who has lost the lease may still write (Q15)',
    patches: [
      at('transaction')(
        'if (fencing !== null) refuseFenced(log.subjectId, fencing, leases?.[0]);',
        'void leases;',
      ),
    ],
    suite: { files: ['libs/storage/src/subject/lease.int.spec.ts'] },
  },
  {
    name: 'resume-of-another-halt',
    breaks: 'a halt is cleared that nobody has looked at',
    patches: [
      at('operatorActions')(
        'WHERE id = $1 AND halt_code = $2 FOR UPDATE',
        "WHERE id = $1 AND $2 <> '' FOR UPDATE",
      ),
    ],
    suite: CONTRACT('is cleared by whoever looked at it'),
  },
  {
    name: 'rewind-recorded-at-its-end',
    breaks: 'what a rewind has done is not in its record when it is interrupted',
    patches: [
      at('operatorActions')(
        'UPDATE operator_actions SET events = events + $2, next_position = $3,',
        'UPDATE operator_actions SET events = CASE WHEN $4 THEN events + $2 ELSE events END, next_position = $3,',
      ),
    ],
    suite: CONTRACT('that stops half way leaves the halt, and can be asked for again'),
  },
  {
    name: 'rebuild-deaf-while-it-waits',
    breaks: 'a worker that is told to stop waits for locks of others first (Q20)',
    patches: [
      {
        file: 'libs/storage/src/replay/sideSessions.ts',
        search: 'return withSession(pool, (other) => endedBy(signal, other, control, work));',
        replace: 'void pool; void signal; void control; return work();',
      },
    ],
    suite: {
      files: ['libs/storage/src/passes/reducerVersions.int.spec.ts'],
      only: 'while it waits for a lane of the older version',
    },
  },
  {
    name: 'everybody-waits-for-a-reader',
    breaks: 'reads wait while rebuilt tables wait for a transaction that reads the old ones for long',
    patches: [
      {
        file: 'libs/storage/src/replay/freshTables.ts',
        search: 'const LOCK_TIMEOUT_MS = 250;',
        replace: 'const LOCK_TIMEOUT_MS = 60_000;',
      },
    ],
    suite: {
      files: ['libs/storage/src/passes/reducerVersions.int.spec.ts'],
      only: 'beside a transaction that reads them for long',
    },
  },
  {
    name: 'stale-by-events-of-other-lanes',
    breaks: 'reads are called stale for events that another lane has executed',
    patches: [
      {
        file: 'libs/storage/src/read/staleness.ts',
        search: 'AND e.seq_no <= s.ingested_seq_no AND ${IS_OF_LANE}',
        replace: 'AND e.seq_no <= s.ingested_seq_no AND (true OR ${IS_OF_LANE})',
      },
    ],
    suite: {
      files: ['apps/api/src/flagStale.int.spec.ts'],
      only: 'are not flagged for a lane that has not looked at events of another one',
    },
  },
  {
    name: 'do-nothing-instead-of-content-hash',
    breaks: 'an event that is there with another content is passed over (P11)',
    patches: [
      at('transaction')(
        'if (message.toPosition < progress.nextPosition) return alreadyThere(prepared);',
        "if (message.toPosition < progress.nextPosition) { void alreadyThere; return { kind: 'already-there' }; }",
      ),
    ],
    suite: CONTRACT('refuses a range that is there with another content'),
  },
  {
    name: 'gap-not-refused',
    breaks: 'a range that does not continue the log leaves a hole',
    patches: [at('transaction')('if (message.fromPosition !== progress.nextPosition) {', 'if (false) {')],
    suite: CONTRACT('refuses a range that leaves a gap'),
  },
  {
    name: 'epoch-not-checked-by-checkpoint',
    breaks: 'a lane that has read past a fork commits after the rollback (R4)',
    patches: [
      at('transaction')(
        'if (now !== epoch) throw new EpochMovedError(log.subjectId, epoch, now);',
        'void now;',
      ),
    ],
    suite: CONTRACT('refuses the checkpoint of a lane that read beyond the fork'),
  },
  {
    name: 'finality-moves-back-in-store',
    breaks: 'stored finality moves back (P7)',
    patches: [at('transaction')('AND (finalized_position IS NULL OR finalized_position < $2)', '')],
    suite: CONTRACT('of finality never moves back'),
  },
  {
    name: 'discovered-contracts-kept',
    breaks: 'a contract that only the orphaned branch had made is still followed (R9)',
    patches: [
      at('logEnd')(
        'contracts AS (DELETE FROM discovered_contracts WHERE subject = $1 AND discovered_seq_no > $2),',
        '',
      ),
    ],
    suite: CONTRACT('(R9)'),
  },
  {
    name: 'checkpoint-not-lowered',
    breaks: 'after a reorg lanes stay where they were: the new branch’s events are never executed',
    patches: [
      at('logEnd')(
        'lanes AS (UPDATE checkpoints SET seq_no = $2 WHERE observer = $3 AND subject = $1 AND seq_no > $2),',
        'lanes AS (SELECT $3::text),',
      ),
    ],
    suite: CONTRACT('(R1, R8)'),
  },
  {
    name: 'snapshot-kept-after-late-event',
    breaks: 'a snapshot above a late event brings the old story back (P2)',
    patches: [
      at('refoldSteps')(
        "'t.aggregate_hash = k.hash AND t.aggregate_type = k.type AND t.aggregate_id = k.id AND t.seq_no >= k.first'",
        "'false AND t.aggregate_hash = k.hash AND t.aggregate_type = k.type AND t.aggregate_id = k.id AND t.seq_no >= k.first'",
      ),
    ],
    suite: CONTRACT('(P2)'),
  },
  {
    name: 'feed-row-omitted',
    breaks: 'an appended range is not told to readers of the feed',
    patches: [
      at('transaction')(
        "INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch) VALUES (${subject}, ${feedNo}, 'appended', ${log.seqNos.first(message.fromPosition)}, ${message.toSeqNo}, ${progress.epoch})",
        "SELECT 'appended'",
      ),
    ],
    suite: CONTRACT('tells each change in the order of commits'),
  },
  {
    name: 'retracted-events-forgotten',
    breaks: 'a reader that was away is not told what was taken back (R11)',
    patches: [
      at('logEnd')(
        'SELECT "subject", $2, ${RETRACTED_COLUMNS} FROM gone',
        'SELECT "subject", $2, ${RETRACTED_COLUMNS} FROM gone WHERE false',
      ),
    ],
    suite: CONTRACT('(R11)'),
  },
  {
    name: 'skipped-events-folded',
    breaks: 'an event that an operator has skipped is folded again',
    patches: [
      at('refoldSteps')(
        '`AND e.aggregate_type = k.type AND e.aggregate_id = k.id AND ${NOT_SKIPPED}`',
        '`AND e.aggregate_type = k.type AND e.aggregate_id = k.id /* ${NOT_SKIPPED} */`',
      ),
    ],
    suite: CONTRACT('go on without an event that is skipped'),
  },
  {
    name: 'lanes-not-locked',
    breaks: 'two workers execute one lane at the same time (Q2, Q15)',
    patches: [at('transaction')('ORDER BY lane FOR UPDATE`', 'ORDER BY lane`')],
    suite: CONTRACT('of one lane take turns'),
  },
  {
    name: 'ingest-not-locked',
    breaks: 'two ingesters append at the same time (Q15)',
    patches: [
      at('transaction')(
        'SELECT id FROM subjects WHERE id = ${subject} FOR UPDATE`',
        'SELECT id FROM subjects WHERE id = ${subject}`',
      ),
    ],
    suite: CONTRACT('of the log take turns'),
  },
  {
    name: 'lease-taken-without-the-row',
    breaks: 'the lease changes hands while the last holder still writes (Q15)',
    patches: [
      at('lease')("await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);", ''),
    ],
    suite: {
      files: ['libs/storage/src/subject/lease.int.spec.ts'],
      only: 'changes hands only when what the last holder still writes',
    },
  },
  {
    name: 'lease-taken-from-the-living',
    breaks: 'a lease that is not over is taken from its holder (Q15)',
    patches: [
      at('lease')('WHERE l.expires_at <= clock_timestamp() RETURNING fencing', 'RETURNING fencing'),
      at('lease')('if (now !== null) return now;', ''),
    ],
    suite: {
      files: ['libs/storage/src/subject/lease.int.spec.ts'],
      only: 'goes to one of many that ask at once',
    },
  },
  {
    name: 'activities-of-the-orphaned-branch-kept',
    breaks: 'activities of blocks that were taken back stay (R1)',
    patches: [
      at('logEnd')(
        'WITH history AS (DELETE FROM activities WHERE subject = $1 AND seq_no > $2),',
        'WITH history AS (SELECT 1),',
      ),
    ],
    suite: CONTRACT('(R1, R8)'),
  },
  {
    name: 'new-branch-left-out-of-a-replay',
    breaks: 'a replay beside a reorg lacks what the new branch tells below the old head (R12)',
    patches: [
      {
        file: 'libs/storage/src/replay/touched.ts',
        search: 'WHERE $4 AND f.subject = $1 AND f.feed_no > $3\n',
        replace: "WHERE $4 AND f.subject = $1 AND f.feed_no > $3 AND f.kind <> 'appended'\n",
      },
    ],
    suite: { files: ['tools/faults/rollback.int.spec.ts'], only: 'during a replay' },
  },
];
