import { createScriptedMarket, type ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { createAptosWorkers, type AptosWorkers } from './aptosWorkers';
import { bundleApp, type Bundle } from './bundles';

/* The API over two Aptos networks in one database: ids of 64 digits, order ids with a colon, token ids beyond 256 bits. */

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
let bundle: Bundle;
let api: string;
const markets: Readonly<Record<number, ScriptedMarket>> = {
  4: createScriptedMarket({ chainId: 4, transactions: 250, seed: 5 }),
  7: createScriptedMarket({ chainId: 7, transactions: 150, seed: 6 }),
};

beforeAll(async () => {
  workers = await createAptosWorkers();
  bundle = bundleApp('api');
  const url = await workers.createDatabase();
  for (const [chainId, { ledger }] of Object.entries(markets)) {
    const node = await workers.fullnode(ledger);
    await workers.toEnd(
      workers.start({
        ...workers.settingsOf('rest', node),
        CHAIN_ID: chainId,
        DATABASE_URL: url,
        END_VERSION: String(ledger.head),
      }),
    );
  }
  const server = workers.run(bundle, { DATABASE_URL: url, PORT: 0 });
  const line = await server.line((text) => text.includes('"listening"'), 'where it listens');
  api = (JSON.parse(line) as { address: string }).address;
});
afterAll(async () => {
  await workers?.close();
  bundle?.remove();
});

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${api}${path}`);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

describe('the API over Aptos networks', () => {
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
    const { items } = await get<Page>('/v1/orders?status=LISTING&limit=20');
    expect(items.length).toBeGreaterThan(10);
    for (const order of items) {
      const { subject, contract, orderId, collection, tokenId } = order;
      expect(orderId).toMatch(/^0x[0-9a-f]{64}:0x[0-9a-f]{64}$/);
      const escaped = [subject, contract, orderId].map(encodeURIComponent).join('/');
      expect(await get(`/v1/orders/${escaped}`)).toEqual(order);
      expect(await get(`/v1/orders/${subject}/${contract}/${orderId}`)).toEqual(order);
      const offersOf = `collection=${collection}&tokenId=${tokenId}`;
      const { items: same } = await get<Page>(`/v1/orders?subject=${subject}&status=LISTING&${offersOf}`);
      expect(same.map((one) => one.orderId)).toContain(orderId);
    }
  });

  it('tells how far each network is, and what happened there', async () => {
    const { subjects } = await get<{ subjects: readonly Record<string, unknown>[] }>('/v1/status');
    expect(subjects.map(({ subject }) => subject).sort()).toEqual(['aptos:4', 'aptos:7']);
    for (const { subject, executed } of subjects) {
      const market = markets[Number(String(subject).slice('aptos:'.length))];
      expect([subject, String(executed)]).toEqual([subject, String(market?.ledger.head)]);
    }
    const { items } = await get<{ items: readonly { kind: string; blockNumber: string }[] }>(
      '/v1/activities?subject=aptos:7&kind=SALE&limit=100',
    );
    expect(items).toHaveLength(markets[7]?.counts.sold ?? -1);
  });
});
