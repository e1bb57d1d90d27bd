import { setTimeout as delay } from 'node:timers/promises';
import { createPrograms, type Program } from '../../e2e/programs';
import { startChainServer } from './chainServer';
import { figuresOf, type Figures } from './figures';
import { openPlace, type PlaceOptions } from './place';
import { createWatch } from './watch';
import { startWorker, untilFollowing } from './workerProcess';
import { verifyRows } from './verified';

type Role = 'all' | 'ingest' | 'apply';

/** Who runs, who is killed, and who goes on. */
export interface Scenario {
  readonly name: string;
  /** Processes from the start, oldest first. */
  readonly running: readonly Role[];
  /** The oldest process of this role is killed. */
  readonly killed: Role;
  /** When its successor is started: `at-once` as by a supervisor; `afterwards`, when others have gone on already. */
  readonly replaced: 'at-once' | 'afterwards';
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'one worker, started again at once', running: ['all'], killed: 'all', replaced: 'at-once' },
  { name: 'a second worker stands by', running: ['all', 'all'], killed: 'all', replaced: 'afterwards' },
  {
    name: 'an ingester, another stands by',
    running: ['ingest', 'ingest', 'apply'],
    killed: 'ingest',
    replaced: 'afterwards',
  },
  {
    name: 'an applier of two',
    running: ['ingest', 'apply', 'apply'],
    killed: 'apply',
    replaced: 'afterwards',
  },
];

export interface RecoveryOptions extends PlaceOptions {
  readonly scenario: Scenario;
  readonly kills: number;
}

const BLOCK_INTERVAL_MS = 250;
const EVENTS_PER_BLOCK = 30;
const HISTORY_EVENTS = 5_000;
const PATIENCE_MS = 60_000;
/** What the killed process had sent to the database is done by then: it is not the work of whoever goes on. */
const AFTERSHOCK_MS = 20;

/**
 * Kills a process with SIGKILL while the chain grows, again and again, each time at another moment between two blocks. Measured from
 * the kill to the first block that is executed after it, which waits for a new block by a quarter of a second at most.
 * @throws unless every row is as the chain's model has it in the end.
 */
export async function measureRecovery(
  options: RecoveryOptions,
): Promise<Figures & { readonly place: string }> {
  const { scenario, kills } = options;
  const programs = createPrograms();
  const place = await openPlace(options);
  try {
    const blocks = Math.ceil((kills * 20_000) / BLOCK_INTERVAL_MS);
    const chain = await startChainServer(programs, {
      historyEvents: HISTORY_EVENTS,
      liveBlocks: blocks,
      liveEvents: EVENTS_PER_BLOCK,
    });
    const start = async (role: Role): Promise<{ readonly role: Role; readonly program: Program }> => {
      const program = startWorker(programs, {
        place,
        chain,
        hints: true,
        pollIntervalMs: 1_000,
        env: { ROLE: role },
      });
      await untilFollowing(program);
      return { role, program };
    };
    const running = [];
    for (const role of scenario.running) running.push(await start(role));
    const client = await place.connect();
    const watch = createWatch(client);
    await watch.until(chain.historyEnd, PATIENCE_MS);
    await chain.grow(blocks, BLOCK_INTERVAL_MS, 10);
    await watch.until(chain.historyEnd + 4, PATIENCE_MS);

    const times: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      // Another phase between two blocks each time.
      await delay(1_000 + ((kill * 0.618) % 1) * BLOCK_INTERVAL_MS);
      const at = running.findIndex(({ role }) => role === scenario.killed);
      const [victim] = running.splice(at, 1);
      const killedNs = process.hrtime.bigint();
      victim?.program.kill('SIGKILL');
      await victim?.program.ended;
      const replacement = scenario.replaced === 'at-once' ? start(scenario.killed) : null;
      await delay(AFTERSHOCK_MS);
      const { executed } = await watch.look();
      const { answeredNs } = await watch.until(executed + 1, PATIENCE_MS);
      times.push(Number(answeredNs - killedNs) / 1e6);
      running.push(await (replacement ?? start(scenario.killed)));
      const { number = 0 } = (await chain.served()).at(-1) ?? {};
      await watch.until(number, PATIENCE_MS);
    }
    const last = chain.historyEnd + blocks;
    await chain.head(0, last);
    await watch.until(last, PATIENCE_MS);
    for (const { program } of running) program.kill('SIGTERM');
    await Promise.all(running.map(({ program }) => program.ended));
    await verifyRows(client, chain);
    return { ...figuresOf(times), place: await place.describe() };
  } finally {
    await programs.close();
    await place.close();
  }
}
