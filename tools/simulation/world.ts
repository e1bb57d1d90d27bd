import type { Observer, Subject } from '@imart/core';
import type { IngestLeases, WakeUpReceiver, WakeUpSender } from '@imart/pipeline';
import type { InMemorySubjectStore } from '../../libs/testing/src/inMemorySubjectStore';
import type { Random } from '../devnet/src/random';
import type { FaultPoints } from './faultPoints';
import { createMortalProcess, type MortalProcess } from './mortalProcess';
import { createSimulatedSubject, type SimulatedChain } from './simulatedSubject';
import type { WakeUpQueue } from './wakeUpQueue';

/**
 * `all`: ingests and executes, catching up with both in one transaction. `second-pass` reads again what was read. `operator` retries and
 * skips what is parked.
 */
export type Role = WorkerRole | 'second-pass' | 'operator';
export type WorkerRole = 'ingest' | 'apply' | 'all';

/** What the processes of a history are set up with. */
export interface WorkerSettings {
  /** `app`: the worker itself. `engine`: its parts, with runs of a few events, so that a lane commits in many steps. */
  readonly composition: 'app' | 'engine';
  readonly runEventsMax: number;
  readonly cachedStatesMax: number;
  readonly snapshotEvery: number;
  readonly rangeBlocksMax: number;
}

/** What outlives a process. */
export interface World {
  readonly chain: SimulatedChain;
  readonly store: InMemorySubjectStore;
  readonly observer: Observer;
  readonly queue: WakeUpQueue;
  readonly leases: IngestLeases;
  readonly points: FaultPoints;
  readonly random: Random;
  readonly settings: WorkerSettings;
}

/** What a process tells of itself. */
export type ProcessNews =
  /** The chain has been read to its end. Lanes may go on until the process is killed. */
  | { readonly kind: 'end' }
  | { readonly kind: 'died' }
  | { readonly kind: 'stopped'; readonly error: unknown };

/** A process, and the world as it sees it. */
export interface ProcessPorts {
  readonly process: MortalProcess;
  readonly subject: Subject;
  readonly store: InMemorySubjectStore;
  readonly sender: WakeUpSender;
  readonly receiver: WakeUpReceiver;
  readonly leases: IngestLeases;
}

/** More parked aggregates than any script makes. */
export const PARKED_MAX = 1_000;
/** In turns. */
export const SWEEP_INTERVAL = 40;
/** In turns. */
export const LEASE = 150;

export function createProcessPorts(world: World, name: string, onDeath: () => void): ProcessPorts {
  const { random, points, queue, settings, chain } = world;
  const process = createMortalProcess({ name, points, random, onDeath });
  return {
    process,
    subject: createSimulatedSubject({
      chain,
      random,
      rangeBlocksMax: settings.rangeBlocksMax,
      asked: async (what) => {
        await process.point(what, 'before');
        await process.point(what, 'after');
      },
    }),
    store: process.store(world.store),
    sender: process.port('queue', queue.sender),
    receiver: queue.receiver(() => !process.dead),
    leases: process.port('leases', world.leases),
  };
}
