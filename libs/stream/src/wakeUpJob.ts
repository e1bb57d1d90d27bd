import type { SeqNo, SubjectId } from '@imart/core';
import type { WakeUp } from '@imart/pipeline';
import { WakeUpDataError } from './errors';

/** What a job holds besides its id, which is the wake-up's: decimal text, because a JSON number loses digits (D4). */
export interface WakeUpData {
  readonly seqNo: string;
  readonly epoch: string;
}

export const WAKE_UP_JOB = 'wake-up';

/**
 * The queue of a lane. Queue names must not contain a colon; `.` stands for it, which no CAIP-2 id has, so that two subjects
 * never share a queue. In Redis the braces keep all keys of one queue in one slot of a cluster.
 */
export function laneQueueName(
  observer: string,
  subjectId: SubjectId,
  lane: number,
  backend: 'postgres' | 'redis',
): string {
  const name = `${observer}.${subjectId}.lane-${lane}`.replaceAll(':', '.');
  return backend === 'redis' ? `{${name}}` : name;
}

export function toJobData(wakeUp: WakeUp): WakeUpData {
  return { seqNo: wakeUp.seqNo.toString(), epoch: wakeUp.epoch.toString() };
}

/** @throws {WakeUpDataError} when the job is no wake-up. */
export function fromJob(
  queue: string,
  lane: number,
  job: { id?: string | undefined; data: unknown },
): WakeUp {
  const id = job.id ?? '';
  const { seqNo, epoch } = (job.data ?? {}) as Partial<Record<keyof WakeUpData, unknown>>;
  const isDecimal = (text: unknown): text is string => typeof text === 'string' && /^-?\d+$/.test(text);
  if (!isDecimal(seqNo) || !isDecimal(epoch)) throw new WakeUpDataError(queue, id);
  return { id, lane, seqNo: BigInt(seqNo) as SeqNo, epoch: BigInt(epoch) };
}
