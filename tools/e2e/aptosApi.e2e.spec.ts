import { join } from 'node:path';
import type { Expected } from '../devnet/src';
import { createScriptedMarket, type ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { dump } from '../realdata/tables';
import { firstDifferences } from './aptosTables';
import { createAptosWorkers, EVERY_SCRIPTED_MARKET, type AptosWorkers } from './aptosWorkers';
import { createMarket, type Market } from './market';

/* The API over one database with two Aptos networks and an EVM chain: addresses of 64 digits and of 40, order ids with a colon. */

interface Order {
  readonly subject: string;
  readonly contract: string;
  readonly orderId: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly seller: string;
  readonly unitPrice: string;
}
interface Page {
  readonly items: readonly Order[];
  readonly next: string | null;
}

let workers: AptosWorkers;
let evm: Market;
let expectedEvm: Expected;
let url: string;
let api: string;
const markets: Readonly<Record<number, ScriptedMarket>> = {
  4: createScriptedMarket({ chainId: 4, transactions: 600, seed: 5, everything: true }),
  7: createScriptedMarket({ chainId: 7, transactions: 150, seed: 6 }),
};

beforeAll(async () => {
  workers = await createAptosWorkers();
  evm = createMarket();
  url = await workers.createDatabase();
  for (const [chainId, { ledger }] of Object.entries(markets)) {
    const node = await workers.fullnode(ledger);
    await workers.toEnd(
      workers.start({
        ...workers.settingsOf('rest', node),
        MARKETS: EVERY_SCRIPTED_MARKET,
        CHAIN_ID: chainId,
        DATABASE_URL: url,
        END_VERSION: String(ledger.head),
      }),
    );
  }
  const chain = await evm.startChain('--script', '120', '--seed', '31');
  expectedEvm = await chain.expected;
  await evm.runWorker(chain, url, expectedEvm);
  const server = evm.start('api', [], { DATABASE_URL: url, PORT: 0, LOG_DIR: join(evm.directory, 'logs') });
  const line = await server.line((text) => text.includes('"listening"'), 'where it listens');
  api = (JSON.parse(line) as { address: string }).address;
});
afterAll(async () => {
  await evm?.close();
  await workers?.close();
});

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${api}${path}`);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

describe('the API over both kinds of chains', () => {
  it('lists the open listings of each, page by page, as the script knows them', async () => {
    for (const [chainId, market] of Object.entries(markets)) {
      const found: Order[] = [];
      let cursor = '';
      do {
        const page: Page = await get(`/v1/orders?subject=aptos:${chainId}&status=LISTING&limit=7${cursor}`);
        found.push(...page.items);
        cursor = page.next === null ? '' : `&cursor=${page.next}`;
      } while (cursor !== '');
      const prices = (all: readonly { readonly seller: string; readonly price: bigint }[]): string[] =>
        all.map(({ seller, price }) => `${seller} ${price}`).sort();
      expect(found.map(({ seller, unitPrice }) => `${seller} ${unitPrice}`).sort()).toEqual(
        prices(market.open),
      );
    }
  });

  it('gives what a path names: subjects, order ids and token ids escaped or not', async () => {
    const listings = expectedEvm.orders.filter(({ status }) => status === 'LISTING');
    const all = await get<Page>('/v1/orders?status=LISTING&limit=100');
    const ofEvm = all.items.filter(({ subject }) => subject.startsWith('eip155:'));
    expect(ofEvm.map(({ orderId }) => orderId).sort()).toEqual(listings.map(({ orderId }) => orderId).sort());
    const ofAptos = all.items.filter(({ subject }) => subject.startsWith('aptos:'));
    expect([ofEvm.length > 0, ofAptos.length > 10]).toEqual([true, true]);
    for (const order of ofAptos.slice(0, 20)) {
      const { subject, contract, orderId, collection, tokenId } = order;
      expect(orderId).toMatch(/^0x[0-9a-f]{64}:0x[0-9a-f]{64}$/);
      const escaped = [subject, contract, orderId].map(encodeURIComponent).join('/');
      expect(await get(`/v1/orders/${escaped}`)).toEqual(order);
      expect(await get(`/v1/orders/${subject}/${contract}/${orderId}`)).toEqual(order);
      const token = `collection=${collection}&tokenId=${tokenId}`;
      const { items: same } = await get<Page>(`/v1/orders?subject=${subject}&status=LISTING&${token}`);
      expect(same.map((one) => one.orderId)).toContain(orderId);
    }
  });

  it('gives galleries, exhibits, commissions and prizes of the EVM chain as its traffic knows them', async () => {
    type Item = Readonly<Record<string, unknown>>;
    const list = async (path: string, ...fields: readonly string[]): Promise<unknown[]> => {
      const { items } = await get<{ readonly items: readonly Item[] }>(
        `${path}?subject=eip155:31337&limit=500`,
      );
      return items.map((item) => fields.map((field) => item[field]));
    };
    const rows = <Row>(all: readonly Row[], ...fields: readonly (keyof Row)[]): unknown[] =>
      all.map((row) => fields.map((field) => row[field]));
    const { galleries, exhibits, commissions, prizes } = expectedEvm;
    expect([galleries.length > 0, exhibits.length > 0, prizes.length > 0]).toEqual([true, true, true]);
    const gallery = ['galleryId', 'owner', 'name', 'commissions', 'commissionPool'] as const;
    expect((await list('/v1/galleries', ...gallery)).sort()).toEqual(rows(galleries, ...gallery).sort());
    const exhibit = ['exhibitId', 'galleryId', 'status', 'origin', 'owner', 'price'] as const;
    expect((await list('/v1/exhibits', ...exhibit)).sort()).toEqual(rows(exhibits, ...exhibit).sort());
    const commission = ['galleryId', 'payee', 'claimable'] as const;
    expect((await list('/v1/commissions', ...commission)).sort()).toEqual(
      rows(commissions, ...commission).sort(),
    );
    const prize = ['lotteryId', 'tokenId', 'claimer', 'collection'] as const;
    expect((await list('/v1/prizes', ...prize)).sort()).toEqual(rows(prizes, ...prize).sort());
    for (const { contract, exhibitId, status } of exhibits) {
      expect(await get(`/v1/exhibits/eip155%3A31337/${contract}/${exhibitId}`)).toMatchObject({ status });
    }
  });

  it('gives galleries, exhibits, offers to exhibit and collections of an Aptos network as its script knows them', async () => {
    const { scenes } = markets[4] as ScriptedMarket;
    type Item = Readonly<Record<string, string>>;
    const list = async (path: string, field: string): Promise<string[]> => {
      const { items } = await get<{ readonly items: readonly Item[] }>(`${path}?subject=aptos:4&limit=500`);
      return items.map((item) => item[field] as string).sort();
    };
    expect(Math.min(scenes.galleries.length, scenes.exhibits.length)).toBeGreaterThan(2);
    expect(await list('/v1/galleries', 'name')).toEqual(scenes.galleries.toSorted());
    expect(await list('/v1/exhibits', 'status')).toEqual(scenes.exhibits.toSorted());
    expect(await list('/v1/curation-offers', 'status')).toEqual(scenes.curationOffers.toSorted());
    const { items } = await get<{ readonly items: readonly Item[] }>(
      '/v1/exhibits?subject=aptos:4&limit=500',
    );
    for (const exhibit of items) {
      const { subject, contract, exhibitId, currency, owner } = exhibit;
      expect(await get(`/v1/exhibits/${encodeURIComponent(subject ?? '')}/${contract}/${exhibitId}`)).toEqual(
        exhibit,
      );
      // Addresses of the chain are of 64 digits, nobody and native coin among them.
      for (const address of [contract, currency, owner]) expect(address).toMatch(/^0x[0-9a-f]{64}$/);
    }
  });

  it('tells how far each network is, and what happened there', async () => {
    const { subjects } = await get<{ subjects: readonly Record<string, unknown>[] }>('/v1/status');
    expect(subjects.map(({ subject }) => subject).sort()).toEqual(['aptos:4', 'aptos:7', 'eip155:31337']);
    for (const { subject, executed } of subjects.filter((one) => one['subject'] !== 'eip155:31337')) {
      const market = markets[Number(String(subject).slice('aptos:'.length))];
      expect([subject, String(executed)]).toEqual([subject, String(market?.ledger.head)]);
    }
    const { items } = await get<{ items: readonly { kind: string; blockNumber: string }[] }>(
      '/v1/activities?subject=aptos:7&kind=SALE&limit=100',
    );
    expect(items).toHaveLength(markets[7]?.counts.sold ?? -1);
  });

  it('is over states that the command line rebuilds from all of their logs', async () => {
    const before = await dump(url);
    const replay = evm.start('imart', ['replay'], { DATABASE_URL: url });
    expect([(await replay.ended).code, replay.said()]).toEqual([
      0,
      expect.stringContaining('verified and switched'),
    ]);
    expect(firstDifferences(before, await dump(url))).toEqual([]);
  });
});
