import { createFakeLedger } from '../../libs/chain-aptos/src/testing/fakeLedger';
import {
  describeAptosRecordings,
  recordedTransactions,
} from '../../libs/chain-aptos/src/testing/recordings.spec';
import { aptosMarketplaces } from '@imart/chain-aptos';
import { dump, query } from '../realdata/tables';
import { firstDifferences, type Tables } from './aptosTables';
import { createAptosWorkers, type AptosWorkers, type ServeOptions } from './aptosWorkers';

/* Transactions that were recorded on mainnet, one after the other, by aptos-worker into the tables; every marketplace is followed. */

const FIRST = 78_753_831n;

describeAptosRecordings('recorded transactions, by aptos-worker', () => {
  let workers: AptosWorkers;
  beforeAll(async () => {
    workers = await createAptosWorkers();
  });
  afterAll(() => workers?.close());

  it('are the same rows over REST and over gRPC, in pages and messages of any size', async () => {
    const ledger = createFakeLedger(1, 'recorded', FIRST);
    for (const json of recordedTransactions().values()) {
      // The reference encoder of the stream does not know validator transactions.
      if (!('validator' in (json as object))) ledger.addRecorded(json);
    }
    const markets = aptosMarketplaces
      .map((market) => (market.packageOn(1) === null ? `${market.name}:0x1a57` : market.name))
      .join(',');
    const left = async (by: 'rest' | 'grpc', options: ServeOptions): Promise<[string, Tables]> => {
      const server = await (by === 'rest'
        ? workers.fullnode(ledger, options)
        : workers.stream(ledger, options));
      const url = await workers.createDatabase();
      const settings = {
        ...workers.settingsOf(by, server),
        MARKETS: markets,
        CHAIN_ID: 1,
        DATABASE_URL: url,
        START_VERSION: String(FIRST),
        END_VERSION: String(ledger.head),
      };
      const said = await workers.toEnd(workers.start(settings));
      expect(said).toContain('"undecodableEvents":0');
      expect(said).toContain('"parkedAggregates":0');
      return [url, await dump(url)];
    };
    const [url, expected] = await left('rest', {});
    const count = async (table: string): Promise<number> =>
      Number((await query(url, `SELECT count(*)::int AS n FROM ${table}`))[0]?.['n']);
    expect(await count('event_log')).toBeGreaterThan(50);
    expect(await count('orders')).toBeGreaterThan(1);
    expect(await count('offers')).toBeGreaterThan(1);
    expect(await count('tokens')).toBeGreaterThan(1);
    for (const [by, options] of [
      ['rest', { faults: ['short=3@0-999'] }],
      ['grpc', {}],
      ['grpc', { batchMax: 4 }],
    ] as const) {
      const [, tables] = await left(by, options);
      expect(firstDifferences(expected, tables)).toEqual([]);
    }
  });
});
