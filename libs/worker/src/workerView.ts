import type { BlockRef, SeqNoCodec } from '@imart/core';
import type { LeaseState, SubjectProgress } from '@imart/pipeline';
import type { Check, Logger } from '@imart/runtime';
import { createClockSkew, type ClockSkew } from './clockSkew';
import type { Heights } from './heights';
import { createProgressWatch, type ProgressWatch } from './progressWatch';
import { readsChain, type WorkerConfig } from './settings';
import type { PositionWords } from './words';
import type { WorkerWatch } from './worker';

export interface WorkerViewOptions {
  readonly config: Pick<WorkerConfig, 'role' | 'progressStallMs' | 'headStallMs' | 'clockSkewMaxMs'>;
  readonly words: PositionWords;
  readonly logger: Logger;
  /** A transaction took so long, of lanes with the folding inside. */
  readonly onTransaction: (part: 'ingest' | 'lanes', seconds: number) => void;
}

/**
 * What this process knows of its work: health pages, metrics and the live line show it. The head is `null` also while this
 * process does not read.
 */
export interface WorkerView extends WorkerWatch, Heights {
  readonly catchingUp: boolean;
  /** How far the subject was at the last look; `null` before the first one. */
  readonly progress: SubjectProgress | null;
  /** How long the database took to tell. */
  readonly lookSeconds: number;
  readonly lease: LeaseState;
  /** Readings that ended and began anew, by the code of what ended them. */
  readonly restarts: ReadonlyMap<string, number>;
  readonly skew: ClockSkew;
  readonly moves: ProgressWatch;
  /** Whether to rely on this process now. */
  readiness(): Readonly<Record<string, Check>>;
  /** Whether what this process is to move does move. */
  progressChecks(): Readonly<Record<string, Check>>;
}

export function createWorkerView(options: WorkerViewOptions): WorkerView {
  const { config, words, logger, onTransaction } = options;
  const moves = createProgressWatch({
    stallMs: config.progressStallMs,
    headStallMs: config.headStallMs,
    now: () => performance.now(),
    words,
  });
  const skew = createClockSkew({ maxMs: config.clockSkewMaxMs, now: () => Date.now(), logger, words });
  const restarts = new Map<string, number>();
  let head: BlockRef | null = null;
  let ingestedPosition: bigint | null = null;
  let readPosition = -1n;
  let catchingUp = false;
  let progress: SubjectProgress | null = null;
  let lookSeconds = 0;
  let lease: LeaseState = { kind: 'none' };

  const reads = readsChain(config);
  const halt: Check = () => {
    const reason = progress?.halt ?? null;
    return reason === null
      ? { ok: true }
      : { ok: false, detail: `the chain stands still (${reason.code}): ${reason.message}` };
  };

  return {
    get head() {
      return head;
    },
    get ingestedPosition() {
      return ingestedPosition;
    },
    get catchingUp() {
      return catchingUp;
    },
    get progress() {
      return progress;
    },
    get lookSeconds() {
      return lookSeconds;
    },
    get lease() {
      return lease;
    },
    restarts,
    skew,
    moves,
    onHead(newest) {
      head = newest;
      skew.see(newest);
    },
    onIngested(position) {
      ingestedPosition = position;
    },
    onRead(position, last) {
      readPosition = position;
      // What a source announces may be read before its next answer about the head tells of it.
      if (head !== null && last !== undefined && last.position > head.position) head = last;
    },
    onCatchingUp(now) {
      if (catchingUp && !now) logger.info('caught up', { [words.one]: ingestedPosition });
      catchingUp = now;
    },
    onLook(now, seconds) {
      progress = now;
      lookSeconds = seconds;
      // What a source announces may be read before its next answer about the head tells of it.
      const newest = head !== null && head.position > readPosition ? head.position : readPosition;
      moves.see({
        headPosition: head === null ? null : newest,
        ingestedPosition: now.nextPosition - 1n,
        ingestedSeqNo: now.ingested,
        executedSeqNo: now.executed,
      });
    },
    onLease(state) {
      lease = state;
      if (state.kind === 'held') return;
      // Whoever has the lease reads the chain; what it does not tell, this process does not know.
      head = null;
      readPosition = -1n;
      catchingUp = false;
      moves.forgetSource();
    },
    onRestart(code) {
      restarts.set(code, (restarts.get(code) ?? 0) + 1);
    },
    transaction(part) {
      const started = performance.now();
      const written = part === 'ingest' ? moves.writing() : undefined;
      return () => {
        written?.();
        onTransaction(part, (performance.now() - started) / 1000);
      };
    },
    readiness: () => ({
      halt,
      ...(reads ? { lease: () => ({ ok: true, detail: leaseText(lease) }) } : {}),
    }),
    progressChecks: () => ({
      halt,
      ...(reads && lease.kind === 'held' ? { ingested: moves.ingested, head: moves.head } : {}),
      ...(config.role !== 'ingest' || lease.kind === 'held' ? { executed: moves.executed } : {}),
    }),
  };
}

function leaseText(lease: LeaseState): string {
  if (lease.kind === 'held') return `reading the chain, under fencing number ${lease.fencing}`;
  return lease.kind === 'standby' ? `standby: ${lease.holder} reads the chain` : 'asking for the lease';
}

/** The last position that is executed whole by every lane; -1 before the first. */
export function executedPositionOf(
  { executed, ingested, nextPosition }: SubjectProgress,
  seqNos: SeqNoCodec,
): bigint {
  if (executed < 0n) return -1n;
  if (executed >= ingested) return nextPosition - 1n;
  const { position } = seqNos.decode(executed);
  return seqNos.last(position) === executed ? position : position - 1n;
}
