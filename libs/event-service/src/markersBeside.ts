import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@imart/core';
import type { Logger } from '@imart/pipeline';
import type { CommandProducer, KeptMarker, Markers } from './markers';
import type { CommandStore, KeptEvent, MarkRequest, MarkResult, RequestReading } from './ports';
import { isSealed } from './sealedData';

export interface MarkersBesideOptions {
  /** Keeps everything but the markers. */
  readonly store: CommandStore;
  readonly producer: CommandProducer;
  readonly markers: Markers;
  readonly logger: Logger;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** @defaultValue {@link PENDING_MAX_MS_DEFAULT} */
  readonly pendingMaxMs?: number;
}

/**
 * @defaultValue for `pendingMaxMs`: a marker that has waited for its message for longer is of a process that died, or is slow; others
 * write the message then. Writing it twice is harmless at any time.
 */
export const PENDING_MAX_MS_DEFAULT = 100;

/** How often a marker is looked at whose message is being written. */
const LOOK_MS = 2;
/** For how long one reading of how far the stream is behind is believed: a small part of what is too far. */
const LAG_KEPT_MS = 1_000;
/** Markers mended in one sweep. */
const MENDED_MAX = 1_000;

/**
 * A store whose markers are kept beside the database. The promise is weaker in one thing: marker and message are two steps. So the marker
 * holds the whole command until its message is written, and whoever finds one that was left writes it (E1). Everything else is as it was,
 * because nothing is believed that the database does not know: an accepted command is checked against it when its message is written, a
 * refused one by looking there before it is refused.
 */
export function markersBeside(options: MarkersBesideOptions): CommandStore {
  const { store, producer, markers, logger, now, pendingMaxMs = PENDING_MAX_MS_DEFAULT } = options;
  let lag = { ms: 0, until: -Infinity };

  const lagMs = async (): Promise<number> => {
    if (now() >= lag.until) lag = { ms: await producer.lagMs(), until: now() + LAG_KEPT_MS };
    return lag.ms;
  };

  /** What fails here is mended by whoever looks next. */
  const later = async (what: string, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      logger.warn(what, { subject: store.subject.subjectId, error: messageOf(error) });
    }
  };
  const drop = (aggregateId: string, eventId: KeptEvent['eventId']): Promise<void> =>
    later('a marker could not be removed', markers.drop(aggregateId, eventId));

  /** Writes the message of a marker that was left without one, or removes the marker of a command that cannot be any more. */
  const mend = async (request: MarkRequest): Promise<void> => {
    const { aggregateId, event } = request;
    const written = (): Promise<bigint | null> =>
      producer.producedAt(aggregateId, event.version, event.eventId);
    let timeUs = await written();
    if (timeUs === null) {
      const produced = await producer.produce(request);
      timeUs = produced.result === 'marked' ? produced.timeUs : await written();
      logger.warn(
        timeUs === null
          ? 'a marker without its message was removed'
          : 'the message of a marker was written for a process that did not',
        { subject: store.subject.subjectId, aggregateId, eventId: event.eventId },
      );
    }
    await (timeUs === null
      ? markers.drop(aggregateId, event.eventId)
      : markers.settle(aggregateId, { ...event, timeUs }));
  };

  /** The marker, once its message is written. */
  const settled = async (aggregateId: string): Promise<KeptMarker | null> => {
    for (;;) {
      const found = await markers.read(aggregateId);
      if (found === null || found.pending === null) return found;
      if (found.ageMs > pendingMaxMs) await mend(found.pending);
      else await pause(LOOK_MS);
    }
  };

  return {
    ...store,
    async readForRequest(aggregateId, idempotency, certain = false): Promise<RequestReading> {
      const marker = await settled(aggregateId);
      // What is sealed is read with its key, and that is in the database alone.
      if (marker !== null && !certain && !isSealed(marker.event.data)) {
        const marked = { ...marker.event, timeUs: marker.event.timeUs ?? 0n };
        return { kept: null, marked, archived: false, lagMs: await lagMs(), hint: true };
      }
      const reading = await store.readForRequest(aggregateId, idempotency, true);
      if (marker !== null && marker.event.eventId !== reading.marked?.eventId)
        await drop(aggregateId, marker.event.eventId);
      return reading;
    },

    async mark(request): Promise<MarkResult> {
      const { aggregateId, event } = request;
      try {
        if (!(await markers.place(request))) return 'moved';
      } catch (error) {
        await drop(aggregateId, event.eventId);
        throw error;
      }
      try {
        const produced = await producer.produce(request);
        if (produced.result === 'marked') {
          await later(
            'a marker could not be settled',
            markers.settle(aggregateId, { ...event, timeUs: produced.timeUs }),
          );
        } else {
          await drop(aggregateId, event.eventId);
        }
        return produced.result;
      } catch (error) {
        // Whether it was written or not: without a marker the database tells.
        await drop(aggregateId, event.eventId);
        throw error;
      }
    },

    async sweep() {
      for (const aggregateId of await markers.overdue(pendingMaxMs, MENDED_MAX)) {
        const found = await markers.read(aggregateId);
        if (found !== null && found.pending !== null) await mend(found.pending);
      }
      return store.sweep();
    },
  };
}
