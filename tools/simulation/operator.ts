import { retryParked, skipParked } from '@imart/pipeline';
import { silentLogger } from '../../libs/testing/src/silentLogger';
import type { MortalProcess } from './mortalProcess';
import { turns } from './virtualTime';
import { createProcessPorts, type ProcessNews, type World } from './world';

/** Retries parked aggregates, or skips the event that they are parked at, now and then, for as long as it lives. */
export function startOperator(
  world: World,
  name: string,
  onNews: (news: ProcessNews, worker: MortalProcess) => void,
): MortalProcess {
  const { random, observer } = world;
  const { process, store } = createProcessPorts(world, name, () => onNews({ kind: 'died' }, process));
  const changes = { store, observer, logger: silentLogger };
  const step = async (): Promise<void> => {
    const markers = await store.parked();
    if (markers.length === 0) return;
    const request = { ...random.pick(markers), actedBy: name, reason: 'as the dice fell' };
    if (random.chance(0.4)) await skipParked(changes, request);
    else await retryParked(changes, request);
  };
  const run = async (): Promise<void> => {
    while (!process.dead) {
      await turns(20 + random.below(150));
      await step().catch((error: unknown) => {
        const { disposition } = error as { disposition?: unknown };
        if (disposition !== 'retry') throw error;
      });
    }
  };
  run().catch((error: unknown) => !process.dead && onNews({ kind: 'stopped', error }, process));
  return process;
}
