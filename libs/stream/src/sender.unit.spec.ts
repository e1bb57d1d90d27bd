import type { SeqNo, SubjectId } from '@imart/core';
import type { WakeUp } from '@imart/pipeline';
import { SEND_CHUNK_MAX } from './bounds';
import type { JobBackend, JobQueue } from './jobBackend';
import { createSender } from './sender';
import { createWakeUpStats } from './stats';

const wakeUp = (lane: number, n: number): WakeUp => ({
  id: `${lane}-${n}`,
  lane,
  seqNo: BigInt(n) as SeqNo,
  epoch: 0n,
});

function setUp() {
  /** What each call added, by lane. */
  const added = new Map<number, string[][]>();
  const queueOf = (lane: number): JobQueue => ({
    name: `lane-${lane}`,
    addBulk: async (jobs) => {
      const calls = added.get(lane) ?? [];
      added.set(lane, [...calls, jobs.map(({ opts }) => opts.jobId)]);
    },
    getJob: async () => undefined,
    getJobCounts: async () => ({}),
    close: async () => undefined,
  });
  const backend = { label: 'a backend', assertReachable: () => undefined } as unknown as JobBackend;
  const stats = createWakeUpStats();
  const subjectId = 'eip155:1' as SubjectId;
  return { added, stats, sender: createSender({ backend, queueOf, subjectId, stats }) };
}

describe('the sender of wake-ups', () => {
  it('sends the first of each lane ahead of the others, and all of them in their order', async () => {
    const { added, stats, sender } = setUp();
    const many = Array.from({ length: SEND_CHUNK_MAX + 2 }, (_, n) => wakeUp(0, n));
    await sender.send([...many, wakeUp(1, 0)]);
    expect(added.get(0)?.map((call) => call.length)).toEqual([1, SEND_CHUNK_MAX, 1]);
    expect(added.get(0)?.flat()).toEqual(many.map(({ id }) => id));
    expect(added.get(1)).toEqual([['1-0']]);
    expect(stats.sent).toBe(SEND_CHUNK_MAX + 3);
  });

  it('sends nothing when there is nothing to send', async () => {
    const { added, sender } = setUp();
    await sender.send([]);
    expect(added.size).toBe(0);
  });
});
