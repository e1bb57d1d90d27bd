import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { aptosSeqNo } from '@imart/chain-aptos';
import type { SeqNo } from '@imart/core';
import { createFakeLedger, type FakeEvent } from '../../libs/chain-aptos/src/testing/fakeLedger';
import { SCRIPTED_HANDLES } from '../replay-fullnode/src/scriptedHandles';
import { createScriptedMarket, type ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { dump, query } from '../realdata/tables';
import { expectedMarket, firstDifferences, storedMarket } from './aptosTables';
import { createAptosWorkers, SCRIPTED_MARKETS, type AptosWorkers, type ServedBy } from './aptosWorkers';
import type { Program } from './programs';
import { until } from './until';

/*
 * What aptos-worker does not go on with: it says why in one line, ends with the exit code that the documents name, and leaves the tables as
 * they were. None of it halts the chain: with other settings or endpoints, the next start goes on.
 */

let workers: AptosWorkers;
let market: ScriptedMarket;
let head: bigint;
beforeAll(async () => {
  workers = await createAptosWorkers();
  market = createScriptedMarket({ transactions: 300, seed: 11 });
  ({ head } = market.ledger);
});
afterAll(() => workers?.close());

/** Its exit code and its last error, once it has ended. */
async function endOf(worker: Program): Promise<{ code: number | null; stopped: Record<string, unknown> }> {
  const { code } = await worker.ended;
  const lines = worker.said().split('\n');
  const line = lines.find((text) => text.includes('"message":"stopped: '));
  return { code, stopped: line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>) };
}

const haltOf = async (url: string): Promise<unknown> =>
  (await query(url, 'SELECT halt_code FROM subjects'))[0]?.['halt_code'] ?? null;

describe('settings that cannot be used', () => {
  it('are told all at once, with exit code 2 and without their secrets', async () => {
    const worker = workers.start({
      APTOS_SOURCE: 'handles',
      APTOS_URLS: 'ftp://user:hunter2@host',
      MARKETS: 'opensea,imart',
      CHAIN_ID: 4,
      START_VERSION: 9,
      END_VERSION: 8,
    });
    expect([(await worker.ended).code, worker.said()]).toEqual([
      2,
      expect.stringMatching(
        /^aptos-worker: 5 settings are not usable:\n {2}APTOS_URLS: .*\n {2}END_VERSION: 8 lies before START_VERSION 9\n {2}APTOS_HANDLES: is required .*\n {2}MARKETS: there is no marketplace 'opensea'; .*\n {2}MARKETS: where imart is on network 4 is not known; .*\n$/,
      ),
    ]);
    expect(worker.said()).not.toContain('hunter2');
  });

  it('are told where the ledger of the endpoints is the first to tell, with exit code 2', async () => {
    const node = await workers.fullnode(market.ledger);
    const url = await workers.createDatabase();
    const worker = workers.start({ APTOS_URLS: node.url, MARKETS: 'wapal', DATABASE_URL: url });
    const { code, stopped } = await endOf(worker);
    expect([code, stopped['message']]).toEqual([
      2,
      expect.stringContaining('MARKETS: where wapal is on network 4 is not known; write wapal:0x...'),
    ]);
  });

  it('are what --help names, and nothing is started', async () => {
    const help = workers.start({}, '--help');
    expect([(await help.ended).code, help.said()]).toEqual([
      0,
      expect.stringMatching(/^aptos-worker: follows an NFT marketplace's events on an Aptos network\n/),
    ]);
  });
});

describe('a ledger that cannot be followed', () => {
  it.each<ServedBy>(['rest', 'grpc'])(
    'over %s: another network than CHAIN_ID says is refused, with exit code 1 (P14)',
    async (by) => {
      const server = await (by === 'rest' ? workers.fullnode(market.ledger) : workers.stream(market.ledger));
      const url = await workers.createDatabase();
      const settings = { ...workers.settingsOf(by, server), DATABASE_URL: url };
      const { code, stopped } = await endOf(workers.start({ ...settings, CHAIN_ID: 9 }));
      expect([code, stopped]).toEqual([1, expect.objectContaining({ code: 'WRONG_CHAIN' })]);
      expect(await query(url, 'SELECT id FROM subjects')).toEqual([]);
    },
  );

  it.each<ServedBy>(['rest', 'grpc'])(
    'over %s: versions that are pruned are not skipped over; exit code 1',
    async (by) => {
      const pruned = createFakeLedger(1, 'pruned', 5_000n);
      for (let i = 0; i < 20; i++) pruned.add();
      const server = await (by === 'rest' ? workers.fullnode(pruned) : workers.stream(pruned));
      const url = await workers.createDatabase();
      const settings = { ...workers.settingsOf(by, server), CHAIN_ID: 1, DATABASE_URL: url };
      const { code, stopped } = await endOf(workers.start({ ...settings, START_VERSION: 4_000 }));
      expect([code, stopped]).toEqual([
        1,
        expect.objectContaining({
          code: 'RPC_PRUNED',
          message: expect.stringMatching(/4000/) as string,
        }),
      ]);
      expect(await query(url, 'SELECT seq_no FROM event_log')).toEqual([]);
      // From a version on that is there, it is followed.
      const there = await workers.createDatabase();
      await workers.toEnd(
        workers.start({ ...settings, DATABASE_URL: there, START_VERSION: 5_000, END_VERSION: 5_019 }),
      );
    },
  );

  it('a network that was started anew is another ledger: exit code 1, nothing is written, nothing halts (P14)', async () => {
    const url = await workers.createDatabase();
    const node = await workers.fullnode(market.ledger);
    const again = createScriptedMarket({ transactions: 600, seed: 12 });
    const settings = { ...workers.settingsOf('rest', node), DATABASE_URL: url, LEASE_MS: 1_000 };
    const worker = workers.start(settings);
    await until(
      'all of it is in the log',
      async () =>
        BigInt(String((await query(url, 'SELECT next_position FROM subjects'))[0]?.['next_position'])) > head,
    );
    await until('it is executed', async () => (await executedOf(url)) !== null);
    const before = await dump(url);
    // While it is followed, the node behind the address becomes one of the new network, which then grows beyond what was read.
    let newHead = 5n;
    node.rules.push(() => ({ ledger: again.ledger, head: newHead }));
    const asked = node.questions.length;
    await until('the new head is seen', () => node.questions.length > asked + 2);
    expect(worker.isRunning()).toBe(true);
    newHead = again.ledger.head;
    const replaced = await endOf(worker);
    expect([replaced.code, replaced.stopped]).toEqual([
      1,
      expect.objectContaining({
        code: 'LEDGER_REPLACED',
        message: expect.stringContaining('this is another ledger') as string,
      }),
    ]);
    // At the next start: the database is of another one.
    const refused = await endOf(workers.start(settings));
    expect([refused.code, refused.stopped['code']]).toEqual([1, 'OTHER_CHAIN']);
    expect(firstDifferences(before, await dump(url))).toEqual([]);
    expect(await haltOf(url)).toBeNull();
    // The endpoints were wrong, not the database: with those that are right it goes on by itself.
    node.rules.pop();
    await workers.toEnd(workers.start({ ...settings, END_VERSION: String(head) }));
    expect(firstDifferences(before, await dump(url))).toEqual([]);
  });

  it('a devnet that has another chain id since it was started anew is refused, unless that is what the settings say (P14)', async () => {
    const url = await workers.createDatabase();
    const again = createScriptedMarket({ chainId: 9, transactions: 60, seed: 12 });
    const [node, renewed] = [await workers.fullnode(market.ledger), await workers.fullnode(again.ledger)];
    const of = (served: typeof node, last: bigint) => ({
      ...workers.settingsOf('rest', served),
      DATABASE_URL: url,
      END_VERSION: String(last),
    });
    await workers.toEnd(workers.start(of(node, 50n)));
    const before = await dump(url);
    const refused = await endOf(workers.start(of(renewed, 50n)));
    expect([refused.code, refused.stopped]).toEqual([
      1,
      expect.objectContaining({
        code: 'NETWORK_RESTARTED',
        message: expect.stringContaining(
          'the database has aptos:4, and the endpoints serve chain id 9 now',
        ) as string,
      }),
    ]);
    expect(firstDifferences(before, await dump(url))).toEqual([]);
    await workers.toEnd(workers.start({ ...of(renewed, 50n), CHAIN_ID: 9 }));
    const subjects = await query(url, 'SELECT subject_id FROM subjects ORDER BY id');
    expect(subjects.map((row) => row['subject_id'])).toEqual(['aptos:4', 'aptos:9']);
  });

  it('bare events are read where the transactions are pruned, and are never mixed with those (P18)', async () => {
    const node = await workers.fullnode(market.ledger);
    node.rules.push(({ kind, start }) =>
      kind === 'version' && start !== 0n ? { status: 410, body: '{}', oldest: head } : undefined,
    );
    const [first = '', ...others] = Object.keys(SCRIPTED_HANDLES);
    const settings = (url: string, source: string, handles = [first, ...others]) => ({
      ...workers.settingsOf('rest', node),
      APTOS_SOURCE: source,
      APTOS_HANDLES: handles.join(','),
      DATABASE_URL: url,
      END_VERSION: String(head),
    });
    const url = await workers.createDatabase();
    const pruned = await endOf(workers.start(settings(url, 'handles')));
    expect([pruned.code, pruned.stopped['code']]).toEqual([1, 'RPC_PRUNED']);

    const mixed = await endOf(workers.start(settings(url, 'events')));
    expect([mixed.code, mixed.stopped['code']]).toEqual([1, 'MIXED_SOURCES']);

    const own = await workers.createDatabase();
    await workers.toEnd(workers.start(settings(own, 'events')));
    const stored = await storedMarket(own, 'aptos:4-events');
    expect(stored).toEqual(expectedMarket(market));
    const back = await endOf(workers.start(settings(own, 'rest')));
    expect([back.code, back.stopped['code']]).toEqual([1, 'MIXED_SOURCES']);
    const fewer = await endOf(workers.start(settings(own, 'events', [first])));
    expect([fewer.code, fewer.stopped['code']]).toEqual([1, 'HANDLES_CHANGED']);
    // In another order they are the same.
    await workers.toEnd(workers.start(settings(own, 'events', [...others, first])));
  });
});

describe('a marketplace of one’s own', () => {
  const FILE = join(__dirname, '../examples/tradeportListings.cjs');
  const PACKAGE = '0xe11c12ec495f3989c35e1c6a0af414451223305b579291fc8f3d9d0575a23c26';
  const [CREATOR, SELLER, BUYER] = ['c4', '5e', 'b0'].map((byte) => `0x${byte.repeat(32)}`) as [
    string,
    string,
    string,
  ];
  const idOf = (name: string): string =>
    BigInt(`0x${createHash('sha256').update(`${CREATOR}::Things::${name}`).digest('hex')}`).toString();

  /** The market's event about a token, as its package or as somebody else's. */
  const says = (event: string, name: string, price: number, more: object = {}, by = PACKAGE): FakeEvent => ({
    type: `${by}::listings::${event}`,
    account: by,
    creationNumber: 4,
    sequenceNumber: 0,
    data: {
      price: String(price),
      token_id: { property_version: '0', token_data_id: { creator: CREATOR, collection: 'Things', name } },
      ...more,
    },
  });
  const paid = (account: string, amount: number): FakeEvent => ({
    type: '0x1::coin::CoinDeposit',
    data: { account, amount: String(amount), coin_type: '0x1::aptos_coin::AptosCoin' },
  });

  it('is followed by its file alone: the rows are what its events say (docs/add-an-aptos-marketplace.md)', async () => {
    const ledger = createFakeLedger(1, 'of one’s own');
    ledger.add({ kind: 'blockMetadata' });
    const list = (name: string, price: number): bigint =>
      ledger.add({ events: [says('InsertListingEvent', name, price, { seller: SELLER })] });
    const first = list('sold', 100);
    list('sold', 90);
    const second = list('taken down', 50);
    ledger.add({ events: [says('InsertListingEvent', 'never', 1, { seller: SELLER })], success: false });
    ledger.add({
      events: [says('InsertListingEvent', 'never', 1, { seller: SELLER }, `0x${'1a'.repeat(32)}`)],
    });
    ledger.add({
      events: [paid(SELLER, 81), says('BuyEvent', 'sold', 90, { owner: SELLER, buyer: BUYER })],
    });
    ledger.add({ events: [says('DeleteListingEvent', 'taken down', 50, { seller: SELLER })] });
    const third = list('open', 70);
    const again = list('taken down', 55);

    const url = await workers.createDatabase();
    const said = await workers.toEnd(
      workers.start({
        APTOS_SOURCE: 'rest',
        APTOS_URLS: (await workers.fullnode(ledger)).url,
        DATABASE_URL: url,
        MARKETS: FILE,
        CHAIN_ID: 1,
        START_VERSION: 0,
        END_VERSION: String(ledger.head),
      }),
    );
    expect(said).toContain('"undecodableEvents":0');
    const seqNos = aptosSeqNo;
    const orders = await query(
      url,
      'SELECT market, contract, seller, buyer, status, price::text, token_id::text, opened_seq_no::text FROM orders o ORDER BY o.opened_seq_no',
    );
    const row = (
      version: bigint,
      name: string,
      status: string,
      price: string,
      buyer: string | null = null,
    ) => ({
      ...{ market: 'tradeport-listings', contract: PACKAGE, seller: SELLER, buyer, status, price },
      token_id: idOf(name),
      version,
    });
    expect(
      orders.map(({ opened_seq_no: opened, ...rest }) => ({
        ...rest,
        version: seqNos.decode(BigInt(String(opened)) as SeqNo).position,
      })),
    ).toEqual([
      row(first, 'sold', 'SOLD', '90', BUYER),
      row(second, 'taken down', 'CANCELED', '50'),
      row(third, 'open', 'LISTING', '70'),
      row(again, 'taken down', 'LISTING', '55'),
    ]);
    const activities = await query(
      url,
      'SELECT kind, token_id::text, price::text, fees::text FROM activities ORDER BY seq_no, item',
    );
    expect(activities).toEqual(
      [
        ['LIST', 'sold', '100', null],
        ['UPDATE', 'sold', '90', null],
        ['LIST', 'taken down', '50', null],
        ['SALE', 'sold', '90', '9'],
        ['CANCEL', 'taken down', '50', null],
        ['LIST', 'open', '70', null],
        ['LIST', 'taken down', '55', null],
      ].map(([kind, name, price, fees]) => ({ kind, token_id: idOf(String(name)), price, fees })),
    );
  });

  it('is named, with its file, when that cannot be used', async () => {
    const url = await workers.createDatabase();
    const node = await workers.fullnode(market.ledger);
    const file = join(__dirname, 'no-such-market.json');
    const worker = workers.start({
      APTOS_URLS: node.url,
      DATABASE_URL: url,
      MARKETS: `${SCRIPTED_MARKETS},${file}`,
    });
    expect([(await worker.ended).code, worker.said()]).toEqual([
      2,
      expect.stringMatching(/no-such-market\.json.*there is no such file/s),
    ]);
  });
});

/** `null` until everything that is in the log is executed. */
async function executedOf(url: string): Promise<string | null> {
  const rows = await query(
    url,
    `SELECT count(*)::int AS waiting FROM subjects s JOIN checkpoints c ON c.subject = s.id WHERE c.seq_no < s.ingested_seq_no`,
  );
  return rows[0]?.['waiting'] === 0 ? 'executed' : null;
}
