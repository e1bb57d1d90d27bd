import type { KeepJobs, WorkerOptions } from 'bullmq';
import type { WakeUpFate } from '@imart/pipeline';

/** A job as it is handed to a worker. */
export interface TakenJob {
  readonly id?: string | undefined;
  readonly data: unknown;
}

/** The part of BullMQ's queue that is used here; the same for both backends. */
export interface JobQueue {
  readonly name: string;
  addBulk(jobs: { name: string; data: object; opts: JobSettings }[]): Promise<unknown>;
  getJob(id: string): Promise<KeptJob | undefined>;
  getJobCounts(...states: ('wait' | 'active' | 'completed' | 'failed')[]): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** A job's own settings. */
export interface JobSettings {
  readonly jobId: string;
  readonly removeOnComplete?: KeepJobs;
  readonly removeOnFail?: KeepJobs;
}

/** A job that is still there. */
export interface KeptJob {
  readonly data: unknown;
  readonly returnvalue: unknown;
  readonly failedReason: string;
  getState(): Promise<string>;
  updateData(data: object): Promise<void>;
  remove(): Promise<void>;
}

/** The part of BullMQ's worker that is used here. */
export interface JobWorker {
  run(): Promise<void>;
  waitUntilReady(): Promise<void>;
  pause(doNotWaitActive: boolean): Promise<void>;
  close(force: boolean): Promise<void>;
}

/** What it gives is kept with the job. */
export type Processor = (job: TakenJob) => Promise<WakeUpFate | null>;

/** What the two worlds, PostgreSQL and Redis, have to give. Both are ready when they are created. */
export interface JobBackend {
  readonly kind: 'postgres' | 'redis';
  /** Safe to log. */
  readonly label: string;
  /** @param look whether the queue is only looked at: then nothing is written for it, not even its own description. */
  queue(name: string, look?: boolean): JobQueue;
  worker(
    name: string,
    processor: Processor,
    options: Omit<WorkerOptions, 'connection'>,
    events: WorkerEvents,
  ): JobWorker;
  /** @throws {StreamUnavailableError} when it is known that a call would not come through now. */
  assertReachable(): void;
  /** Closes what is left, within a bound. Queues and workers are closed before. */
  close(): Promise<void>;
}

export interface WorkerEvents {
  onError(error: Error): void;
  onFailed(id: string, error: Error): void;
  onStalled(id: string): void;
}

/** Settles within `ms`: as the work does, or with what `late` gives. The work itself goes on (Q7): it must be harmless. */
export async function within<T>(ms: number, work: Promise<T>, late: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  work.catch(() => undefined);
  try {
    const first = await Promise.race([work.then((value) => ({ value })), timeout]);
    return first === 'late' ? await late() : first.value;
  } finally {
    clearTimeout(timer);
  }
}
