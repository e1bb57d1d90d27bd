import { performance } from 'node:perf_hooks';
import type { SeqNo, SubjectId } from '@imart/core';
import { createWakeUpStream, type WakeUpBackend } from './index';

/**
 * How long after `send` begins a waiting worker has the wake-up, and how many wake-ups a second one lane takes.
 * Run: npx tsx libs/stream/src/pickup.bench.ts postgres://... redis://...
 */
const quiet = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };

async function measure(backend: WakeUpBackend): Promise<void> {
  const stream = await createWakeUpStream({
    subjectId: 'bench:1' as SubjectId,
    observer: `bench${Date.now()}`,
    backend,
    logger: quiet,
  });
  let onWakeUp: (id: string) => void = () => undefined;
  await stream.receiver.start([0], async ({ id }) => {
    onWakeUp(id);
    return 'executed';
  });
  const taken: number[] = [];
  for (let i = 0; i < 600; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const arrived = new Promise<number>((resolve) => (onWakeUp = () => resolve(performance.now())));
    const at = performance.now();
    await stream.sender.send([{ id: `single-${i}`, lane: 0, seqNo: BigInt(i) as SeqNo, epoch: 0n }]);
    taken.push((await arrived) - at);
  }
  const sorted = taken.slice(100).sort((a, b) => a - b);
  const quantile = (q: number): string => (sorted[Math.floor(sorted.length * q)] ?? NaN).toFixed(2);
  const jobs = 3000;
  let left = jobs;
  const all = new Promise<void>((resolve) => (onWakeUp = () => --left === 0 && resolve()));
  const at = performance.now();
  await stream.sender.send(
    Array.from({ length: jobs }, (_, i) => ({
      id: `bulk-${i}`,
      lane: 0,
      seqNo: BigInt(i) as SeqNo,
      epoch: 0n,
    })),
  );
  const sent = performance.now() - at;
  await all;
  const seconds = (performance.now() - at) / 1000;
  console.log(
    `${backend.kind}: pickup p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, max ${quantile(0.99999)} ms; ` +
      `${jobs} sent in ${sent.toFixed(0)} ms; ${(jobs / seconds).toFixed(0)} wake-ups/s in one lane`,
  );
  await stream.close();
}

async function main(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    await measure(
      url.startsWith('redis')
        ? { kind: 'redis', url }
        : { kind: 'postgres', connectionString: url, schema: 'imart_jobs_bench' },
    );
  }
}

void main(process.argv.slice(2));
