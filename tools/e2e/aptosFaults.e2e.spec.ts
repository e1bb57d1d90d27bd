import type { FullnodeRule } from '../../libs/chain-aptos/src/testing/fakeFullnode';
import { createScriptedMarket, type ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { dump, query } from '../realdata/tables';
import { expectedMarket, firstDifferences, storedMarket, type Tables } from './aptosTables';
import { createAptosWorkers, type AptosWorkers, type ServedBy } from './aptosWorkers';
import { chooseSeed, createRandom } from './kills';
import { until, untilWhileRunning } from './until';
import { pagesOf } from './workerPages';

/*
 * What goes wrong between a ledger and its tables, over real sockets and with the worker as a process: whatever it is, the rows are those of
 * a run in which nothing went wrong.
 */

const SUBJECT = 'aptos:4';
const KILLS = 6;
/** Versions that come at once, at most: enough to be killed in the middle of. */
const STEP_MAX = 400;
/** Of several nodes behind one address, some are behind the others: also where a worker begins. */
const LAGS = ['lag=0@0', 'lag=20@3-5', 'lag=200@9-10', 'lag=100@16-18', 'lag=400@25', 'lag=40@31-33'];
const seed = chooseSeed();

let workers: AptosWorkers;
let market: ScriptedMarket;
let straight: Tables = {};
beforeAll(async () => {
  workers = await createAptosWorkers();
  market = createScriptedMarket({ transactions: 900, seed: 7 });
  const node = await workers.fullnode(market.ledger);
  const url = await workers.createDatabase();
  await workers.toEnd(
    workers.start({
      ...workers.settingsOf('rest', node),
      DATABASE_URL: url,
      END_VERSION: String(market.ledger.head),
    }),
  );
  expect(await storedMarket(url, SUBJECT)).toEqual(expectedMarket(market));
  straight = await dump(url);
});
afterAll(() => workers?.close());

/** 0 while the database does not know the ledger. */
async function nextVersion(url: string): Promise<number> {
  const [row] = await query(url, 'SELECT next_position FROM subjects').catch(() => []);
  return Number(row?.['next_position'] ?? 0);
}

describe('the same rows, whatever goes wrong', () => {
  it.each<ServedBy>(['rest', 'handles', 'grpc'])(
    `kill -9 at random moments, over %s (IMART_SEED=${seed})`,
    async (by) => {
      const random = createRandom(seed);
      const url = await workers.createDatabase();
      const { ledger } = market;
      const last = Number(ledger.head);
      let head = 0;
      const options = { head: () => BigInt(head) };
      const server = await (by === 'grpc'
        ? workers.stream(ledger, options)
        : workers.fullnode(ledger, { ...options, faults: by === 'handles' ? LAGS : [] }));
      const settings = { ...workers.settingsOf(by, server), DATABASE_URL: url, LEASE_MS: 1_000 };
      for (let kill = 0; kill < KILLS; kill++) {
        const from = head;
        head = Math.min(last, head + 1 + random.below(STEP_MAX));
        // While it starts, while it reads, or when it has it all.
        const moment = random.chance(0.3) ? 0 : from + random.below(head - from + 1);
        const worker = workers.start(settings);
        await untilWhileRunning(
          [worker],
          `version ${moment} is in the log`,
          async () => moment === 0 || (await nextVersion(url)) > moment,
        );
        worker.kill('SIGKILL');
        expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' });
      }
      head = last;
      await workers.toEnd(workers.start({ ...settings, END_VERSION: last }));
      expect(firstDifferences(straight, await dump(url))).toEqual([]);
    },
  );

  it.each<[string, ServedBy, readonly string[]]>([
    ['a node that lags behind what was read', 'rest', ['lag=150@4-9', 'lag=20@12-14']],
    ['short and empty pages', 'rest', ['empty@1-3', 'short=1@5-9', 'empty@10-12']],
    [
      'answers that break off, hang up, fail, limit',
      'rest',
      ['break-off@1-2', 'refuse@4', 'status=500@6', 'rate-limit=0@8'],
    ],
    [
      'pages with a gap, a repetition, in another order',
      'rest',
      ['gap=2@1', 'repeat@3', 'reorder@5', 'html@7'],
    ],
    ['nodes that lag behind what was read', 'handles', LAGS],
    [
      'short answers about handles, and none',
      'handles',
      ['short=1@0-5', 'short=7@7-20', 'status=500@21', 'break-off@22', 'rate-limit=0@23'],
    ],
    [
      'answers about handles with a gap, a repetition, in another order',
      'handles',
      ['gap@0', 'repeat@1', 'reorder@2', 'html@4'],
    ],
    ['streams that are cut and end early', 'grpc', ['cut=1@0-1', 'end=1@2-3', 'cut=0@4']],
    ['streams with a gap, a repetition, in another order', 'grpc', ['gap@0', 'repeat@1', 'reorder@2']],
    ['a stream that lags', 'grpc', ['lag=100@0']],
  ])('%s: is waited for, or not used', async (_what, by, faults) => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const server = await (by === 'grpc'
      ? workers.stream(ledger, { faults, batchMax: 100 })
      : workers.fullnode(ledger, { faults }));
    const settings = { ...workers.settingsOf(by, server), DATABASE_URL: url, APTOS_PAGES_IN_FLIGHT: 2 };
    await workers.toEnd(workers.start({ ...settings, END_VERSION: String(ledger.head) }));
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('a version that every endpoint leaves out: nothing beyond it is read until one has it', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const node = await workers.fullnode(ledger);
    const missing = 300;
    const without: FullnodeRule = ({ kind }) =>
      kind === 'page'
        ? { page: (page) => page.filter((one) => one['version'] !== String(missing)) }
        : undefined;
    node.rules.push(without);
    const settings = { ...workers.settingsOf('rest', node), DATABASE_URL: url };
    const worker = workers.start({ ...settings, END_VERSION: String(ledger.head) });
    const asked = (): number => node.questions.filter(({ start }) => start === BigInt(missing)).length;
    await until('it was asked for several times', () => asked() > 3);
    await until('what is before it is in the log', async () => (await nextVersion(url)) === missing);
    expect(worker.isRunning()).toBe(true);
    node.rules.pop();
    await workers.toEnd(worker);
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('what is pruned before it was read by its handles: it stops and says so, and another node has it (P18)', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const [node, archive] = [await workers.fullnode(ledger), await workers.fullnode(ledger)];
    const settings = { ...workers.settingsOf('handles', node), DATABASE_URL: url };
    const half = ledger.head / 2n;
    await workers.toEnd(workers.start({ ...settings, END_VERSION: String(half) }));
    const before = await dump(url);
    node.rules.push(() => ({ oldest: half + 100n }));
    const toEnd = { ...settings, END_VERSION: String(ledger.head) };
    const stopped = workers.start(toEnd);
    expect((await stopped.ended).code).toBe(1);
    expect(stopped.said()).toContain('"code":"RPC_PRUNED"');
    expect(firstDifferences(before, await dump(url))).toEqual([]);
    await workers.toEnd(workers.start({ ...toEnd, APTOS_URLS: archive.url }));
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('an endpoint that is gone for good: the other one takes over', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const [first, second] = [await workers.fullnode(ledger), await workers.fullnode(ledger)];
    let head = ledger.head / 2n;
    for (const node of [first, second]) node.rules.push(() => ({ head }));
    const worker = workers.start({ ...workers.settingsOf('rest', first, second), DATABASE_URL: url });
    const pages = await pagesOf(worker);
    const executed = async (): Promise<boolean> => (await pages.metric('executed_block')) === Number(head);
    await until('half of it is executed', executed);
    await first.close();
    head = ledger.head;
    await until('the rest of it is executed', executed);
    worker.kill('SIGTERM');
    await workers.toEnd(worker);
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });
});
