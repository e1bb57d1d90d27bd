import { messageOf, type SeqNo } from '@imart/core';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs, type Logger } from '@imart/pipeline';
import type { AggregateDefinition } from './aggregate';
import type { AggregateReads, ArchiveStore } from './ports';
import { foldState } from './queries';

/** Name of the rule that refuses commands of an archived aggregate. */
export const ARCHIVED = 'archived';

/** @defaultValue for `pollMs` */
export const ARCHIVE_POLL_MS_DEFAULT = 60_000;

/** Events that are looked at in one statement. */
const PAGE_EVENTS = 500;

export interface ArchiverOptions {
  readonly definition: AggregateDefinition;
  readonly store: ArchiveStore;
  readonly reads: AggregateReads;
  readonly logger: Logger;
  readonly random: () => number;
  /** How often the log is looked at. @defaultValue {@link ARCHIVE_POLL_MS_DEFAULT} */
  readonly pollMs?: number;
}

/** Moves finished aggregates out of the log. Any number may run on one type; killed at any moment, an aggregate is moved or it is not. */
export interface Archiver {
  /** Looks at what has become old enough since it looked last. @returns how many aggregates it has archived. */
  pass(signal: AbortSignal): Promise<number>;
  /** Works until the signal aborts; at once over for a type that has no `archive`. @throws what is of disposition `stop`. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Looks at the last events of aggregates in the order of the log, each once: what is not finished by then has another last event when it
 * is. Where readers of the feed are behind, it waits for them. Begins anew with each process.
 */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { definition, store, reads, logger, random, pollMs = ARCHIVE_POLL_MS_DEFAULT } = options;
  const { archive } = definition;
  let lookedAt = -1n as SeqNo;

  const pass = async (signal: AbortSignal): Promise<number> => {
    let archived = 0;
    while (archive !== undefined && !signal.aborted) {
      const { candidates, upTo, more } = await store.archivable(lookedAt, PAGE_EVENTS, archive.afterMs);
      for (const { aggregateId, seqNo } of candidates) {
        if (signal.aborted) return archived;
        const { state, stopped } = await foldState(definition, reads, aggregateId, { kind: 'latest' });
        if (stopped === null && state.seqNo === seqNo && archive.isFinished(state.value)) {
          const result = await store.archive(aggregateId, state, archive.afterMs);
          if (result === 'behind') return archived;
          if (result === 'archived') archived++;
        }
        lookedAt = seqNo;
      }
      lookedAt = upTo;
      if (!more) return archived;
    }
    return archived;
  };

  return {
    pass,
    async run(signal) {
      for (let attempt = 1; archive !== undefined && !signal.aborted; attempt++) {
        let delayMs = pollMs;
        try {
          const archived = await pass(signal);
          attempt = 0;
          if (archived > 0)
            logger.info('finished aggregates were archived', { type: definition.type, archived });
        } catch (error) {
          if (!mayRetry(error, attempt)) throw error;
          delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
          logger.warn('finished aggregates could not be archived, trying again', {
            type: definition.type,
            attempt,
            delayMs,
            error: messageOf(error),
          });
        }
        await waitMs(delayMs, signal);
      }
    },
  };
}
