import { setTimeout as wait } from 'node:timers/promises';
import type { Devnet } from './devnet';
import type { Traffic } from './traffic';

export interface LiveTrafficOptions {
  /** Transactions a second, above 0. */
  readonly perSecond: number;
  /** Ends after so many. Absent: goes on until `stop`. */
  readonly actions?: number;
}

export interface LiveTraffic {
  /** Asks for nothing more; resolves when all that was asked for is in blocks and confirmed. */
  stop(): Promise<void>;
  /** The same moment, without asking for it. Rejects when the traffic cannot go on. */
  readonly done: Promise<void>;
}

/** Transactions that may wait for a block: more than that, and the traffic waits for the chain. */
const PENDING_MAX = 500;
const TICK_MS = 200;
const LAST_BLOCK_MS = 30_000;

/** Traffic at an even pace, on a devnet that mines by the clock. */
export function startLiveTraffic(devnet: Devnet, traffic: Traffic, options: LiveTrafficOptions): LiveTraffic {
  const { perSecond, actions = Infinity } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = () => wait(TICK_MS, undefined, { signal }).catch(() => undefined);
  const run = async (): Promise<void> => {
    let left = actions;
    let owed = 0;
    for (let last = performance.now(); !signal.aborted && left > 0; await pause()) {
      const now = performance.now();
      // After a pause of the whole machine, the traffic goes on; it does not catch up.
      owed = Math.min(owed + ((now - last) / 1_000) * perSecond, perSecond + 1);
      last = now;
      const due = Math.min(Math.floor(owed), left, PENDING_MAX - traffic.pending);
      if (due > 0) {
        // One by one: a block may be made at any moment, and must not hold an action without those before it.
        await traffic.submit(due, true);
        owed -= due;
        left -= due;
      }
      await traffic.confirm();
    }
    await devnet.mine();
    for (const end = Date.now() + LAST_BLOCK_MS; traffic.pending > 0;) {
      if (Date.now() > end) throw new Error(`devnet traffic: ${traffic.pending} actions are not mined`);
      await traffic.confirm();
    }
  };
  const done = run();
  done.catch(() => undefined);
  return {
    done,
    stop() {
      stopping.abort();
      return done;
    },
  };
}
