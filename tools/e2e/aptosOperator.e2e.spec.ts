import { createScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { dump, query } from '../realdata/tables';
import { expectedMarket, firstDifferences, storedMarket } from './aptosTables';
import { createAptosWorkers, type AptosWorkers } from './aptosWorkers';
import { bundleApp, type Bundle } from './bundles';

/* The operator's command line on a database that an Aptos network is in. */

let workers: AptosWorkers;
let imart: Bundle;
beforeAll(async () => {
  workers = await createAptosWorkers();
  imart = bundleApp('imart');
});
afterAll(async () => {
  await workers?.close();
  imart?.remove();
});

describe('the command line on an Aptos network', () => {
  it('rebuilds its states, takes it back to a version, and shows what is parked', async () => {
    const market = createScriptedMarket({ transactions: 300, seed: 3 });
    const { ledger } = market;
    const url = await workers.createDatabase();
    const node = await workers.fullnode(ledger);
    const settings = {
      ...workers.settingsOf('rest', node),
      DATABASE_URL: url,
      END_VERSION: String(ledger.head),
      LANES: 4,
    };
    const command = async (...args: string[]): Promise<string> =>
      workers.toEnd(workers.run(imart, { DATABASE_URL: url }, ...args));
    await workers.toEnd(workers.start(settings));
    const before = await dump(url);
    expect(await storedMarket(url, 'aptos:4')).toEqual(expectedMarket(market));

    expect(await command('replay')).toMatch(/^replayed \d+ events .*; verified and switched\n$/);
    expect(firstDifferences(before, await dump(url))).toEqual([]);
    expect(await command('parked', 'list')).toBe('nothing is parked\n');

    const told = await command('rewind', '--to-block', String(ledger.head / 2n), '--yes');
    expect(told).toContain('done: ');
    const [row] = await query(url, 'SELECT next_position FROM subjects');
    expect(BigInt(String(row?.['next_position']))).toBeLessThanOrEqual(ledger.head / 2n + 1n);
    await workers.toEnd(workers.start(settings));
    expect(firstDifferences(before, await dump(url))).toEqual([]);
  });
});
