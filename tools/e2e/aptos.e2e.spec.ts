import { EVERY_SCRIPTED_HANDLE } from '../replay-fullnode/src/scriptedHandles';
import { createScriptedMarket, type ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { dump, query } from '../realdata/tables';
import { expectedMarket, firstDifferences, storedMarket, type Tables } from './aptosTables';
import {
  createAptosWorkers,
  EVERY_SCRIPTED_MARKET,
  type AptosWorkers,
  type ServedBy,
  type ServeOptions,
} from './aptosWorkers';
import { until } from './until';
import { pagesOf } from './workerPages';

/*
 * aptos-worker as a process, over the servers of tools/replay-fullnode and tools/replay-stream. What it must leave is known by the script of
 * the market.
 */

const SUBJECT = 'aptos:4';
const TRANSACTIONS = 900;
const SEED = 20261121;
const KEY = 'aptoslabs_hunter2_hunter2';

let workers: AptosWorkers;
let market: ScriptedMarket;
beforeAll(async () => {
  workers = await createAptosWorkers();
  market = createScriptedMarket({ transactions: TRANSACTIONS, seed: SEED, everything: true });
});
afterAll(() => workers?.close());

/** Of a worker that follows all of IMart's modules. */
const settingsOf: AptosWorkers['settingsOf'] = (...served) => ({
  ...workers.settingsOf(...served),
  MARKETS: EVERY_SCRIPTED_MARKET,
});

const logLine = (said: string, message: string): Readonly<Record<string, unknown>> | undefined =>
  said
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .find((line) => line['message'] === message);

describe('the scripted market, by aptos-worker', () => {
  /** The tables of one straight run over REST. */
  let straight: Tables = {};

  it('is in the tables as its script knows it, and END_VERSION ends the process with 0', async () => {
    const url = await workers.createDatabase();
    const node = await workers.fullnode(market.ledger);
    const { head } = market.ledger;
    const settings = {
      ...settingsOf('rest', node),
      APTOS_API_KEY: KEY,
      DATABASE_URL: url,
      END_VERSION: String(head),
    };
    const said = await workers.toEnd(workers.start(settings));
    expect(await storedMarket(url, SUBJECT)).toEqual(expectedMarket(market));
    expect(expectedMarket(market).open.length).toBeGreaterThan(5);
    // The script has something of every kind.
    const { offers, collections, tokens, galleries, curationOffers, exhibits } = market.scenes;
    expect(new Set(offers.map(({ status }) => status)).size).toBe(3);
    expect(offers.some(({ status, filled }) => status === 'CANCELED' && filled > 0)).toBe(true);
    for (const made of [collections, tokens, galleries]) expect(made.length).toBeGreaterThan(3);
    expect(new Set(curationOffers)).toEqual(new Set(['pending', 'accepted', 'rejected', 'canceled']));
    expect(exhibits).toEqual(expect.arrayContaining(['listing', 'redeemed', 'sold']));
    expect(market.counts.together).toBeGreaterThan(5);

    expect(logLine(said, 'following')).toMatchObject({
      app: 'aptos-worker',
      subject: SUBJECT,
      followed: EVERY_SCRIPTED_MARKET,
      nextVersion: '0',
      endVersion: String(head),
    });
    expect(logLine(said, 'END_VERSION is executed')).toMatchObject({
      transactions: Number(head) + 1,
      failedTransactions: market.counts.failed,
      undecodableEvents: 0,
      unknownEvents: 0,
    });
    // The key is sent and not said; the words are those of the chain.
    expect(node.questions.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(said).not.toContain(KEY);
    expect(said).not.toMatch(/block/i);
    straight = await dump(url);

    await workers.toEnd(workers.start(settings));
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it.each<[string, ServedBy, ServeOptions, Readonly<Record<string, number>>]>([
    ['REST with pages of 7', 'rest', { faults: ['short=7@0-999999'] }, { APTOS_PAGES_IN_FLIGHT: 3 }],
    ['REST with one page at a time', 'rest', {}, { APTOS_PAGES_IN_FLIGHT: 1 }],
    ['gRPC', 'grpc', {}, {}],
    ['gRPC with messages of 13', 'grpc', { batchMax: 13 }, {}],
    ['gRPC with streams that are cut', 'grpc', { faults: ['cut=1@0-4'] }, {}],
  ])('is the same in every row over %s', async (_what, by, options, further) => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const server = await (by === 'rest'
      ? workers.fullnode(ledger, options)
      : workers.stream(ledger, options));
    const settings = settingsOf(by, server);
    await workers.toEnd(
      workers.start({ ...settings, ...further, DATABASE_URL: url, END_VERSION: String(ledger.head) }),
    );
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('goes on over gRPC where it was left over REST, and the other way round', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const [node, stream] = [await workers.fullnode(ledger), await workers.stream(ledger)];
    for (const [by, server, end] of [
      ['rest', node, ledger.head / 3n],
      ['grpc', stream, (ledger.head / 3n) * 2n],
      ['rest', node, ledger.head],
    ] as const) {
      const settings = { ...settingsOf(by, server), DATABASE_URL: url, END_VERSION: String(end) };
      await workers.toEnd(workers.start(settings));
    }
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('is the same in every row by the event handles of the market alone, also where it was begun otherwise', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const node = await workers.fullnode(ledger);
    const settings = {
      ...settingsOf('handles', node),
      APTOS_HANDLES: Object.keys(EVERY_SCRIPTED_HANDLE).join(','),
      DATABASE_URL: url,
    };
    // Begun by reading every transaction, gone on with by the handles.
    const half = { ...settings, APTOS_SOURCE: 'rest', END_VERSION: String(ledger.head / 2n) };
    await workers.toEnd(workers.start(half));
    await workers.toEnd(workers.start({ ...settings, END_VERSION: String(ledger.head) }));
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('is followed in roles: one process reads, one executes', async () => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const node = await workers.fullnode(ledger);
    const common = { DATABASE_URL: url, END_VERSION: String(ledger.head) };
    const executes = workers.start(common, '--role', 'apply');
    const reads = workers.start({ ...settingsOf('rest', node), ...common }, '--role', 'ingest');
    await Promise.all([workers.toEnd(reads), workers.toEnd(executes)]);
    expect(firstDifferences(straight, await dump(url))).toEqual([]);
  });

  it('is shown while it grows: positions, endpoints, requests, errors, what was skipped', async () => {
    const url = await workers.createDatabase();
    const { ledger, counts } = market;
    let head = ledger.head / 2n;
    const node = await workers.fullnode(ledger, { faults: ['status=503@1-3'], head: () => head });
    const worker = workers.start({ ...settingsOf('rest', node), DATABASE_URL: url });
    const pages = await pagesOf(worker);
    const executed = async (): Promise<boolean> => (await pages.metric('executed_block')) === Number(head);
    await until('everything up to the head is executed', executed);
    head = ledger.head;
    await until('everything that was added is executed', executed);
    expect(await storedMarket(url, SUBJECT)).toEqual(expectedMarket(market));
    expect((await pages.get('/readyz')).status).toBe(200);
    expect(await pages.metric('transactions_total')).toBe(Number(ledger.head) + 1);
    expect(await pages.metric('skipped_transactions_total', 'reason="failed"')).toBe(counts.failed);
    expect(await pages.metric('undecodable_events_total')).toBe(0);
    expect(await pages.metric('rpc_requests_total', 'use="live"')).toBeGreaterThan(10);
    expect(await pages.metric('rpc_errors_total', 'use="live"')).toBeGreaterThan(0);
    worker.kill('SIGTERM');
    await workers.toEnd(worker);
    expect(await query(url, `SELECT DISTINCT market FROM orders`)).toEqual([{ market: 'imart' }]);
  });
});
