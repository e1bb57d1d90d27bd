import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const at =
  (file: string) =>
  (search: string, replace: string): Patch => ({ file: `libs/pipeline/src/${file}.ts`, search, replace });

/** A crash at every call of a small history, and the same for histories of a few seeds. */
const SIMULATION: Suite = { files: ['tools/simulation/mutants.faults.spec.ts'] };
const CONTRACT = (only: string): Suite => ({
  files: ['libs/testing/src/inMemorySubjectStore.unit.spec.ts'],
  only,
});
const unit = (name: string, only?: string): Suite => ({
  files: [`libs/pipeline/src/${name}.unit.spec.ts`],
  ...(only === undefined ? {} : { only }),
});

/** What is applied, in which order, exactly once, and taken back. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'checkpoint-before-state',
    breaks: 'a lane’s checkpoint is committed before its states: a crash between them loses events (Q1)',
    patches: [
      at('lane')(
        'await tx.writeRun(await store.prepareRun(run));',
        'later = async () => store.transaction(async (next) => next.writeRun(await store.prepareRun(run)));',
      ),
      at('lane')(
        'const run = await executeRun(appended);',
        'const run = await executeRun(appended); await later?.(); later = null;',
      ),
      at('lane')(
        'const advance = async',
        'let later: (() => Promise<void>) | null = null; const advance = async',
      ),
    ],
    suite: SIMULATION,
  },
  {
    name: 'epoch-not-checked-by-ingest',
    breaks: 'what was read under another epoch is appended all the same',
    patches: [
      at('changes')('if (epoch !== readUnder) throw new EpochMovedError(subjectId, readUnder, epoch);', ''),
    ],
    suite: unit('ingest'),
  },
  {
    name: 'epoch-not-checked-by-cache',
    breaks: 'a lane goes on with states from before a reorg (R4)',
    patches: [
      at('executor')(
        'if (valid !== null && valid.seqNo === afterSeqNo && valid.epoch === epoch) return valid;',
        'if (valid !== null && valid.seqNo === afterSeqNo) return valid;',
      ),
    ],
    suite: SIMULATION,
  },
  {
    name: 'cache-kept-after-a-failed-commit',
    breaks: 'states that were folded and not committed are folded on (Q1)',
    patches: [at('executor')('drop() { valid = null; }', 'drop() {}')],
    suite: unit('failures', 'begins anew with nothing of a range that was not committed'),
  },
  {
    name: 'finalized-blocks-taken-back',
    breaks: 'a reorg below finality is followed (R7)',
    patches: [at('invalidate')('if (fromSeqNo <= progress.finalized) {', 'if (false) {')],
    suite: CONTRACT('(R7)'),
  },
  {
    name: 'ancestor-not-compared',
    breaks: 'blocks are taken back to an ancestor that the log does not have',
    patches: [
      at('invalidate')('if (stored !== undefined && stored.hash !== ancestor.hash) {', 'if (false) {'),
    ],
    suite: CONTRACT('to a block that is not the one in the log'),
  },
  {
    name: 'park-marker-kept-on-orphaned-branch',
    breaks: 'an aggregate stays parked at an event that the chain has taken back',
    patches: [at('cutBack')('await tx.unpark(orphaned);', '')],
    suite: CONTRACT('takes the marker of an aggregate with it'),
  },
  {
    name: 'refold-beyond-checkpoint',
    breaks: 'a late event is refolded beyond where the lane is: the lane folds its events again',
    patches: [
      at('lateChange')(
        'touched.map((one) => ({ ...one, upToSeqNo: executedOf(progress, one) })),',
        'touched.map((one) => ({ ...one, upToSeqNo: progress.ingested })),',
      ),
    ],
    suite: CONTRACT('is not folded by a lane that has not come so far'),
  },
  {
    name: 'late-event-for-a-lane-that-is-behind',
    breaks: 'a late event that a lane has not come to yet is folded all the same',
    patches: [
      at('lateChange')(
        'const executed = [...byKey.values()].filter((one) => one.fromSeqNo <= executedOf(progress, one));',
        'const executed = [...byKey.values()];',
      ),
      at('lateChange')(
        'touched.map((one) => ({ ...one, upToSeqNo: executedOf(progress, one) })),',
        'touched.map((one) => ({ ...one, upToSeqNo: progress.ingested })),',
      ),
    ],
    suite: CONTRACT('is not folded by a lane that has not come so far'),
  },
  {
    name: 'late-event-not-refolded',
    breaks: 'a late event is added to the log, and the states stay as they were (P2)',
    patches: [
      at('lateChange')(
        'const refoldedAggregates = await refoldTouched(tx, options, progress, [...losing, ...touchedBy(added)]);',
        'const refoldedAggregates = 0; void refoldTouched; void losing; void touchedBy;',
      ),
    ],
    suite: CONTRACT('(P2)'),
  },
  {
    name: 'second-pass-inserts-at-the-end',
    breaks: 'a log that a second pass finds is folded after what is there, not at its place (P2)',
    patches: [
      at('lateChange')(
        'await tx.insertEvents(added, feedNo);',
        'await tx.insertEvents(added.map((event, i) => ({ ...event, seqNo: (progress.ingested - BigInt(added.length - 1 - i)) as typeof event.seqNo })), feedNo);',
      ),
    ],
    suite: CONTRACT('(P2)'),
  },
  {
    name: 'branch-of-late-change-not-compared',
    breaks: 'late knowledge of another branch is applied',
    patches: [
      at('lateChange')(
        "if (await tellsOfAnotherBranch(tx, change)) return { kind: 'moved', reason: 'block' };",
        'void tellsOfAnotherBranch;',
      ),
    ],
    suite: CONTRACT('that was read under another epoch, or on another branch'),
  },
  {
    name: 'retry-of-parked-reorders',
    breaks: 'a parked aggregate’s later events are applied while it waits (Q18)',
    patches: [at('foldRun')('if (parked.size > 0 && parked.has(keyText)) continue;', '')],
    suite: unit('failures', '(Q18)'),
  },
  {
    name: 'release-leaves-waiting-events-out',
    breaks: 'a released aggregate misses the events that waited behind the one that it was parked at (Q18)',
    patches: [
      at('release')(
        'const { parked } = await refold(tx, options, [{ ...key, fromSeqNo, upToSeqNo }]);',
        'const { parked } = await refold(tx, options, [{ ...key, fromSeqNo, upToSeqNo: fromSeqNo }]);',
      ),
    ],
    suite: CONTRACT('(Q18)'),
  },
  {
    name: 'poison-stops-the-lane',
    breaks: 'one event that fails holds up all others (Q18)',
    patches: [at('foldRun')("if (dispositionOf(error) === 'stop') throw error;", 'throw error;')],
    suite: unit('failures', '(Q18)'),
  },
  {
    name: 'wake-up-trusted',
    breaks:
      'a wake-up’s place is taken for what is executed: the lane is moved there without reading the log (Q3)',
    patches: [
      at('laneWorker')(
        'await wake(lane, signal); return (await store.fateOf',
        'await store.transaction(async (tx) => { const { epoch } = await tx.lockLanes([lane]); await tx.setCheckpoints([lane], seqNo, epoch); }); await wake(lane, signal); return (await store.fateOf',
      ),
    ],
    suite: { files: ['tools/simulation/mutants.faults.spec.ts'] },
  },
  {
    name: 'appended-range-trusted',
    breaks: 'a lane takes what this process has appended last for all that the log has beyond its checkpoint',
    patches: [
      at('lane')(
        'const isNext = appended?.afterSeqNo === afterSeqNo &&',
        'const isNext = appended !== undefined &&',
      ),
    ],
    suite: unit('localLanes'),
  },
  {
    name: 'expected-states-kept',
    breaks: 'an aggregate that had no state when it was looked for is taken for new ever after',
    patches: [
      at('executor')(
        'valid = { ...current, seqNo: upToSeqNo, absent: new Set() };',
        'valid = { ...current, seqNo: upToSeqNo };',
      ),
    ],
    suite: unit('localLanes'),
  },
  {
    name: 'sweeper-asleep',
    breaks: 'nobody wakes a lane whose wake-ups were lost (Q4)',
    patches: [
      at('sweeper')('if (stuck.length > 0) stats.sweptWakeUps += await wake(stuck, progress, round);', ''),
    ],
    suite: unit('wakeUps'),
  },
  {
    name: 'wake-ups-before-the-commit',
    breaks: 'wake-ups are sent before the events that they tell of are committed',
    patches: [
      at('ingest')(
        'const appending = persistently(',
        'await wake(options, wakeUpsFor(message, store.lanes, session.epoch)); const appending = persistently(',
      ),
    ],
    suite: unit('failures', 'sends wake-ups after their events are committed'),
  },
  {
    name: 'lost-lease-not-noticed',
    breaks: 'who has lost the lease goes on reading (Q15)',
    patches: [
      at('lease')(
        'if (await leases.renew(fencing, durationMs)) continue;',
        'await leases.renew(fencing, durationMs); continue;',
      ),
    ],
    suite: unit('lease', 'passes to another process when its holder is silent'),
  },
  {
    name: 'activities-kept-by-refold',
    breaks: 'a refold leaves the activities of the old story beside those of the new one (P2)',
    patches: [
      at('refold')('await tx.eraseActivities(piece.filter(isChanged).map(({ seqNo }) => seqNo));', ''),
    ],
    suite: CONTRACT('(P2)'),
  },
];
