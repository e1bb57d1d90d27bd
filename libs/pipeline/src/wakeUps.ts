import { aggregateHash, laneOf, type AppendMessage, type SeqNo } from '@imart/core';
import type { WakeUp } from './ports';

/**
 * At the head one wake-up for each event, named by its place and epoch, so that the job's result is the fate of its event;
 * and one for the range's end for each lane without events. While catching up, one for each lane.
 */
export function wakeUpsFor(message: AppendMessage, lanes: number, epoch: bigint): readonly WakeUp[] {
  const wakeUps: WakeUp[] = [];
  const withEvents = new Set<number>();
  if (!message.catchingUp) {
    for (const event of message.events) {
      const lane = laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes);
      withEvents.add(lane);
      wakeUps.push(wakeUp(event.subjectId, lane, event.seqNo, epoch));
    }
  }
  return [...wakeUps, ...rangeWakeUps(message.toSeqNo, lanes, epoch, withEvents)];
}

/** One for each lane: the log reaches this far, or reaches only this far any more. */
export function rangeWakeUps(
  toSeqNo: SeqNo,
  lanes: number,
  epoch: bigint,
  except: ReadonlySet<number> = new Set(),
): readonly WakeUp[] {
  return Array.from({ length: lanes }, (_, lane) => lane)
    .filter((lane) => !except.has(lane))
    .map((lane) => wakeUp('range', lane, toSeqNo, epoch));
}

function wakeUp(prefix: string, lane: number, seqNo: SeqNo, epoch: bigint): WakeUp {
  // Job ids must not hold a colon.
  return { id: `${prefix.replaceAll(':', '_')}-${seqNo}-${epoch}-${lane}`, lane, seqNo, epoch };
}
