import { evmSeqNo, type BlockRef } from '@imart/core';
import type { LeaseState, SubjectProgress } from '@imart/pipeline';
import type { Check, Logger } from '@imart/runtime';
import { createClockSkew, type ClockSkew } from './clockSkew';
import type { EvmWorkerConfig } from './config';
import { createProgressWatch, type ProgressWatch } from './progressWatch';
import type { WorkerWatch } from './worker';

export interface WorkerViewOptions {
  readonly config: EvmWorkerConfig;
  readonly logger: Logger;
  /** A transaction took so long, of lanes with the folding inside. */
  readonly onTransaction: (part: 'ingest' | 'lanes', seconds: number) => void;
}

/** What this process knows of its work: health pages, metrics and the live line show it. */
export interface WorkerView extends WorkerWatch {
  /** The newest block that this process was told of by its endpoints; `null` before, and while it does not read. */
  readonly head: BlockRef | null;
  readonly ingestedBlock: bigint | null;
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

export function createWorkerView({ config, logger, onTransaction }: WorkerViewOptions): WorkerView {
  const moves = createProgressWatch({
    stallMs: config.progressStallMs,
    headStallMs: config.headStallMs,
    now: () => performance.now(),
  });
  const skew = createClockSkew({ maxMs: config.clockSkewMaxMs, now: () => Date.now(), logger });
  const restarts = new Map<string, number>();
  let head: BlockRef | null = null;
  let ingestedBlock: bigint | null = null;
  let readBlock = -1n;
  let catchingUp = false;
  let progress: SubjectProgress | null = null;
  let lookSeconds = 0;
  let lease: LeaseState = { kind: 'none' };

  const reads = config.role !== 'apply';
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
    get ingestedBlock() {
      return ingestedBlock;
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
    onHead(block) {
      head = block;
      skew.see(block);
    },
    onIngested(block) {
      ingestedBlock = block;
    },
    onRead(block) {
      readBlock = block;
    },
    onCatchingUp(now) {
      if (catchingUp && !now) logger.info('caught up', { block: ingestedBlock });
      catchingUp = now;
    },
    onLook(now, seconds) {
      progress = now;
      lookSeconds = seconds;
      // A block that a provider announced is read before its next poll tells of it.
      const newest = head !== null && head.position > readBlock ? head.position : readBlock;
      moves.see({
        headBlock: head === null ? null : newest,
        ingestedBlock: now.nextPosition - 1n,
        ingestedSeqNo: now.ingested,
        executedSeqNo: now.executed,
      });
    },
    onLease(state) {
      lease = state;
      if (state.kind === 'held') return;
      // Whoever has the lease reads the chain; what it does not tell, this process does not know.
      head = null;
      readBlock = -1n;
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

/** The last block that is executed whole by every lane; -1 before the first. */
export function executedBlockOf({ executed, ingested, nextPosition }: SubjectProgress): bigint {
  if (executed < 0n) return -1n;
  if (executed >= ingested) return nextPosition - 1n;
  const { position } = evmSeqNo.decode(executed);
  return evmSeqNo.last(position) === executed ? position : position - 1n;
}
