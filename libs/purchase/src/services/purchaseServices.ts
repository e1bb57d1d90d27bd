import { messageOf } from '@imart/core';
import { waitMs, type Logger } from '@imart/pipeline';
import type { PurchaseStore, SessionCache, StepResult } from '../ports';
import { TOPICS, type Purchase, type Topic } from '../purchase';
import { TAKES_MAX } from '../sale/sale';
import { createStepLoop, type StepLoop, type StepStats } from '../stepLoop';
import { processOrders, releaseHeld } from './orders';
import { checkStock } from './stockCheck';

/**
 * The services of the flow. `task` asks for stock checks; `stock-check` answers them; `order` takes from the sale; `order-creation` makes
 * the order; `order-failure` ends what cannot be had; `deadline` ends what takes too long, and gives back what it held.
 */
export const PURCHASE_SERVICES = [
  'task',
  'stock-check',
  'order',
  'order-creation',
  'order-failure',
  'deadline',
] as const;

export type PurchaseServiceName = (typeof PURCHASE_SERVICES)[number];

/** @defaultValue for `batchMax` */
export const STEP_BATCH_MAX_DEFAULT = 500;
/** @defaultValue for `pollMs`: how late something is noticed that no notice has come of. */
export const STEP_POLL_MS_DEFAULT = 250;
/** Purchases whose results are over are removed so often. */
const FORGET_MS = 60_000;

export interface PurchaseServicesOptions {
  readonly store: PurchaseStore;
  /** Which of them run here. @defaultValue all */
  readonly services?: readonly PurchaseServiceName[];
  /** @defaultValue none: results are in the store alone */
  readonly sessions?: SessionCache;
  readonly logger: Logger;
  readonly random: () => number;
  /** Most messages in one transaction. @defaultValue {@link STEP_BATCH_MAX_DEFAULT} */
  readonly batchMax?: number;
  /** @defaultValue {@link STEP_POLL_MS_DEFAULT} */
  readonly pollMs?: number;
  /** Told of purchases that have come to their end here, after the commit. */
  readonly onEnded?: (ended: readonly Purchase[]) => void;
}

/** Services of purchases in this process. Any number of processes may run any of them. */
export interface PurchaseServices {
  readonly stats: ReadonlyMap<PurchaseServiceName, StepStats>;
  /** Something was said on a topic by this process: whoever works on it here looks at once. */
  wake(topic: Topic): void;
  /** Until the signal aborts; what runs is finished. @throws what is of disposition `stop`. */
  run(signal: AbortSignal): Promise<void>;
  /** Works until nothing waits, deadlines not included. For tools and specs. */
  drain(): Promise<void>;
}

interface Service {
  /** `null`: it listens to none. */
  readonly topic: Topic | null;
  readonly work: (limit: number) => Promise<StepResult>;
}

export function createPurchaseServices(options: PurchaseServicesOptions): PurchaseServices {
  const { store, services = PURCHASE_SERVICES, sessions, logger, random } = options;
  const { batchMax = STEP_BATCH_MAX_DEFAULT, pollMs = STEP_POLL_MS_DEFAULT } = options;
  if (!Number.isInteger(batchMax) || batchMax < 1 || batchMax > TAKES_MAX) {
    throw new RangeError(`a step takes 1 to ${TAKES_MAX} messages at a time, not ${batchMax}`);
  }
  const { onEnded = () => undefined } = options;

  const all: Readonly<Record<PurchaseServiceName, Service>> = {
    task: { topic: 'purchase.received', work: (limit) => store.requestChecks(limit) },
    'stock-check': { topic: 'stock.check-requested', work: (limit) => store.checkStock(limit, checkStock) },
    order: { topic: 'stock.available', work: (limit) => store.processOrders(limit, processOrders) },
    'order-creation': { topic: 'order.processed', work: (limit) => store.createOrders(limit) },
    'order-failure': { topic: 'stock.unavailable', work: (limit) => store.rejectOrders(limit) },
    deadline: { topic: null, work: (limit) => store.endOverdue(limit, releaseHeld) },
  };

  const loops = new Map<PurchaseServiceName, StepLoop>();
  const wake = (topic: Topic): void => {
    for (const [name, loop] of loops) if (all[name].topic === topic) loop.wake();
  };

  /** After the commit, and only then (E18). */
  const tell = async ({ said, ended }: StepResult): Promise<void> => {
    for (const topic of said) wake(topic);
    // What is worked on here needs nobody else; should this process not come to it, others look by themselves.
    store.announce(said.filter((topic) => !services.some((name) => all[name].topic === topic)));
    if (ended.length === 0) return;
    onEnded(ended);
    // The store has it already: whoever asks is answered from there.
    await sessions?.put(ended).catch((error: unknown) => {
      logger.warn('results could not be put at hand', { results: ended.length, error: messageOf(error) });
    });
  };

  for (const name of services) {
    const { topic, work } = all[name];
    loops.set(
      name,
      createStepLoop({
        name,
        work,
        setBack: async () => (topic === null ? undefined : store.setBack(topic)),
        onDone: tell,
        batchMax,
        pollMs,
        logger,
        random,
      }),
    );
  }

  const forgetLoop = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const removed = await store.forget(batchMax).catch((error: unknown) => {
        logger.warn('purchases that are over could not be removed', { error: messageOf(error) });
        return 0;
      });
      if (removed < batchMax) await waitMs(FORGET_MS, signal);
    }
  };

  return {
    stats: new Map([...loops].map(([name, { stats }]) => [name, stats])),
    wake,
    async run(signal) {
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const running = [
        ...[...loops.values()].map((loop) => loop.run(stop)),
        store.listen(wake, stop),
        ...(services.includes('deadline') ? [forgetLoop(stop)] : []),
      ];
      await Promise.all(running.map((one) => one.catch((error: unknown) => failed.abort(error))));
      if (failed.signal.aborted) throw failed.signal.reason;
    },
    async drain() {
      for (let taken = 1; taken > 0;) {
        taken = 0;
        for (const topic of TOPICS) {
          const name = services.find((one) => all[one].topic === topic);
          if (name === undefined) continue;
          const result = await all[name].work(batchMax);
          await tell(result);
          taken += result.taken;
        }
      }
    },
  };
}
