import type { Devnet } from './devnet';
import type { Traffic } from './traffic';

export interface LiveTraffic {
  /** Asks for nothing more, and waits until all that was asked for is in blocks and confirmed. */
  stop(): Promise<void>;
  /** Rejects when the traffic cannot go on; never resolves otherwise. */
  readonly failed: Promise<never>;
}

/** Transactions that may wait for a block: more than that, and the traffic waits for the chain. */
const PENDING_MAX = 500;
const TICK_MS = 250;

/** So many transactions a second, for ever, on a devnet that mines by the clock. */
export function startLiveTraffic(devnet: Devnet, traffic: Traffic, perSecond: number): LiveTraffic {
  const stopping = new AbortController();
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopping.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      if (stopping.signal.aborted) resolve();
    });
  const run = async (): Promise<void> => {
    let owed = 0;
    let last = performance.now();
    while (!stopping.signal.aborted) {
      const now = performance.now();
      // After a pause of the whole machine, the traffic goes on; it does not catch up.
      owed = Math.min(owed + ((now - last) / 1_000) * perSecond, perSecond + 1);
      last = now;
      const due = Math.min(Math.floor(owed), PENDING_MAX - traffic.pending);
      if (due > 0) {
        // One by one: a block may be made at any moment, and must not hold an action without those before it.
        await traffic.submit(due, true);
        owed -= due;
      }
      await traffic.confirm();
      await wait(TICK_MS);
    }
    await devnet.mine();
    for (const end = Date.now() + 30_000; traffic.pending > 0;) {
      if (Date.now() > end) throw new Error(`devnet traffic: ${traffic.pending} actions are not mined`);
      await traffic.confirm();
    }
  };
  const done = run();
  const failed = new Promise<never>((_resolve, reject) => void done.catch(reject));
  failed.catch(() => undefined);
  return {
    failed,
    stop() {
      stopping.abort();
      return done;
    },
  };
}
