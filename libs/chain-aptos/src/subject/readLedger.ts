import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AppendMessage, BlockRef, Event, ResumePoint, SubjectId, SubjectMessage } from '@imart/core';
import { childAbort, type BackPressure } from '@imart/endpoints';
import type { ReadTransaction } from '../read/readEvent';
import { ResumePointError, VersionGapError } from '../errors';
import { aptosSeqNo } from '../seqNo';
import { refOf, type LedgerBatch, type LedgerPulse, type LedgerSource } from '../source/ledgerSource';
import type { AptosTranslator } from '../translate';

export interface LedgerReaderOptions {
  readonly subjectId: SubjectId;
  readonly source: LedgerSource;
  readonly translator: AptosTranslator;
  readonly backPressure: BackPressure;
  readonly endVersion: bigint | null;
  readonly messageEventsMax: number;
  readonly messageVersionsMax: number;
  readonly messageWaitMs: number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What was read and not handed on. */
interface Gathered {
  readonly from: bigint;
  readonly events: Event[];
  readonly to: BlockRef;
  readonly sourceEvents: number;
  readonly catchingUp: boolean;
}

/** The messages of one reading of the ledger, from a resume point on. */
export async function* readLedger(
  options: LedgerReaderOptions,
  resume: ResumePoint,
  signal: AbortSignal,
): AsyncGenerator<SubjectMessage, void, undefined> {
  const { subjectId, source, translator, backPressure, endVersion } = options;
  let tip = resume.window.at(-1) ?? null;
  let next = resume.nextPosition;
  if (tip !== null && tip.position !== next - 1n) {
    throw new ResumePointError(
      subjectId,
      `the last remembered version is ${tip.position}, the next one to read is ${next}`,
    );
  }
  let finalized = resume.finalizedPosition ?? -1n;
  let gathered: Gathered | null = null;
  let since: Promise<'waited'> | null = null;

  const gather = ({ transactions, covers, catchingUp }: LedgerBatch): void => {
    const first = covers?.from ?? transactions[0]?.version;
    if (first === undefined) return;
    if (first !== next) throw new VersionGapError(subjectId, next, first);
    const events = gathered?.events ?? [];
    let sourceEvents = 0;
    let before = next - 1n;
    for (const transaction of transactions) {
      const { version } = transaction;
      const follows =
        covers === undefined ? version === before + 1n : version > before && version <= covers.to.position;
      if (!follows) throw new VersionGapError(subjectId, before + 1n, version);
      sourceEvents += translator.translate(transaction, events);
      before = version;
    }
    const last = transactions.at(-1);
    const parentHash = transactions.at(-2)?.accumulatorRootHash ?? tip?.hash ?? '';
    const to: BlockRef = covers?.to ?? refOf(last as ReadTransaction, parentHash);
    gathered = {
      from: gathered?.from ?? first,
      events,
      to,
      sourceEvents: (gathered?.sourceEvents ?? 0) + sourceEvents,
      catchingUp,
    };
    tip = to;
    next = to.position + 1n;
  };

  const isFull = ({ events, from, to }: Gathered): boolean =>
    events.length >= options.messageEventsMax || to.position - from >= BigInt(options.messageVersionsMax);

  const toAppend = (done: Gathered): AppendMessage => {
    gathered = null;
    since = null;
    const toSeqNo = aptosSeqNo.last(done.to.position);
    backPressure.handedOn(toSeqNo, done.events.length);
    return {
      kind: 'append',
      fromPosition: done.from,
      toPosition: done.to.position,
      toSeqNo,
      events: done.events,
      blocks: [done.to],
      discovered: [],
      catchingUp: done.catchingUp,
      sourceRecords: done.sourceEvents,
    };
  };

  /** Hands on what was gathered, and that all of it is final: the ledger takes nothing back. */
  function* handOn(): Generator<SubjectMessage, void, undefined> {
    if (gathered !== null) yield toAppend(gathered);
    const final = next - 1n;
    if (final <= finalized || tip === null) return;
    finalized = final;
    yield { kind: 'finalize', upToSeqNo: aptosSeqNo.last(final), position: final };
  }

  const running = childAbort(signal);
  const items = source.read({ from: next, after: tip, to: endVersion }, running.signal);
  let coming: Promise<IteratorResult<LedgerBatch | LedgerPulse, void>> | null = null;
  try {
    for (;;) {
      if (gathered === null && backPressure.full) {
        await backPressure.room(signal);
        signal.throwIfAborted();
      }
      coming ??= items.next();
      const item = await (gathered === null ? coming : soon(coming));
      if (item === 'waited') {
        if (gathered !== null) yield toAppend(gathered);
        continue;
      }
      coming = null;
      if (item.done === true) {
        yield* handOn();
        if (endVersion !== null && next > endVersion) yield { kind: 'end', atPosition: next - 1n };
        return;
      }
      const { value } = item;
      if (value.kind === 'pulse') {
        yield* handOn();
        yield { kind: 'heartbeat', head: value.head };
        continue;
      }
      gather(value);
      const now = gathered as Gathered | null;
      if (now !== null && (!value.catchingUp || isFull(now))) yield toAppend(now);
      // What is on its way to the database needs a turn of the event loop for each of its steps. Of batches that are there already
      // none would be given.
      else await nextTurn();
    }
  } finally {
    running.abort(new Error('nobody reads the messages any more'));
    // What is on its way ends by the signal; nobody waits for what it ends with.
    coming?.catch(() => undefined);
    await items.return(undefined);
  }

  /** What comes next, unless what was gathered has waited long enough; what is there already is taken also then. */
  async function soon<T>(next: Promise<T>): Promise<T | 'waited'> {
    const item = await Promise.race([next, (since ??= waited())]);
    return item === 'waited' ? Promise.race([next, nextTurn('waited' as const)]) : item;
  }

  async function waited(): Promise<'waited'> {
    await options.wait(options.messageWaitMs, running.signal);
    return 'waited';
  }
}
