import type { Event } from '@imart/core';
import type { MarketEvent, TradeRow } from '@imart/market';
import fc from 'fast-check';
import { canonicalAddress } from './address';
import { imart } from './markets/imart';
import { createFakeLedger } from './testing/fakeLedger';
import type { FakeFullnode } from './testing/fakeFullnode';
import { createLedgerKit, type LedgerKit } from './testing/ledgerKit';
import { createLedgerStore } from './testing/ledgerStore';
import { describeAptosRecordings, readRecordedJson } from './testing/recordings.spec';
import { foldEvents } from './testing/translation';

const seed = Date.now() % 2 ** 31;
const FIRST = 15_000_000n;
let kit: LedgerKit;
beforeEach(() => {
  kit = createLedgerKit();
});
afterEach(() => kit.close());

/** As the fullnode answered. */
interface RecordedEvent {
  readonly version: string;
  readonly type: string;
  readonly guid: { readonly account_address: string };
  readonly data: Readonly<Record<'offer_id' | 'price' | 'seller' | 'timestamp', string>>;
}

describeAptosRecordings('recorded answers of IMart’s handles, served again', () => {
  const recorded = (file: string) => readRecordedJson(`imart/${file}`) as readonly RecordedEvent[];
  const fields: Readonly<Record<string, readonly RecordedEvent[]>> = {
    list_token_events: recorded('list_token_events.json'),
    delist_token_events: recorded('delist_token_events.seq0-5.json'),
  };
  const lists = fields['list_token_events'] ?? [];
  const all = Object.values(fields).flat();
  const address = lists[0]?.guid.account_address ?? '';
  const last = all.map(({ version }) => BigInt(version)).reduce((a, b) => (b > a ? b : a));
  const head = last + 1_000n;

  /** The ledger that it was recorded of is gone but for its first version and these events. */
  const recordedNode = async (pageMax: (count: number) => number): Promise<FakeFullnode> => {
    const ledger = createFakeLedger(4, 'devnet');
    ledger.add();
    const node = await kit.node(ledger);
    const headers = { 'x-aptos-ledger-version': String(head) };
    node.rules.push(({ kind, path, start, limit, count }) => {
      if (kind === 'info')
        return {
          body: JSON.stringify({
            chain_id: 4,
            ledger_version: String(head),
            oldest_ledger_version: '0',
            ledger_timestamp: '1670000000000000',
          }),
        };
      const field = /\/([a-z_]+)\?/.exec(path)?.[1] ?? '';
      const events = fields[field];
      if (kind !== 'events' || events === undefined) return undefined;
      const size = Math.min(limit ?? 25, pageMax(count));
      const from = start === null ? Math.max(0, events.length - size) : Number(start);
      return { body: JSON.stringify(events.slice(from, from + size)), headers };
    });
    return node;
  };
  const read = async (node: FakeFullnode, stops: readonly bigint[] = []): Promise<readonly Event[]> => {
    const handles = Object.keys(fields).map((field) => ({
      address,
      struct: `${address}::FixedMarket::FixedMarketEvents`,
      field,
    }));
    const store = createLedgerStore(FIRST);
    for (const endVersion of [...stops, last]) {
      if (endVersion < store.next) continue;
      const source = kit.handleSource([node], handles, { bare: true });
      const subject = kit.subject(source, { markets: [imart.at(address)], bareEvents: true, endVersion });
      await kit.read(subject, store);
      expect(subject.stats()).toMatchObject({ undecodableEvents: 0 });
    }
    return store.events;
  };
  const tradesOf = (events: readonly Event[]): readonly TradeRow[] =>
    foldEvents(events as readonly MarketEvent[]).rows as readonly TradeRow[];
  const noncesOf = (trades: readonly TradeRow[], status: string): readonly number[] =>
    trades
      .filter((row) => row.status === status)
      .map((row) => Number(row.nonce))
      .sort((a, b) => a - b);

  it('leave 25 listings, of which the 6 delistings take down those of the same token and seller', async () => {
    const events = await read(await recordedNode(() => 100));
    const trades = tradesOf(events);
    expect([lists.length, all.length, trades.length]).toEqual([25, 31, 25]);
    expect(noncesOf(trades, 'CANCELED')).toEqual([7, 10, 13, 16, 19, 22]);
    expect(noncesOf(trades, 'LISTING')).toEqual([
      2, 3, 4, 5, 6, 9, 12, 15, 18, 21, 24, 28, 30, 32, 34, 36, 38, 40, 42,
    ]);
    for (const { version, data } of lists) {
      const row = trades.find(({ nonce }) => nonce === BigInt(data.offer_id));
      expect(row).toMatchObject({ price: BigInt(data.price), maker: canonicalAddress(data.seller) });
      const source = events.find(({ seqNo }) => seqNo === row?.openedSeqNo)?.source;
      expect(source).toMatchObject({ position: BigInt(version), timeUs: BigInt(data.timestamp), txHash: '' });
    }
    const places = events.map(({ source }) => source.position);
    expect(places).toEqual([...places].sort((a, b) => (a < b ? -1 : 1)));
  });

  it(`are the same events in pages of any size, over any restarts (Q1, Q22, seed ${seed})`, async () => {
    const expected = await read(await recordedNode(() => 100));
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.bigInt({ min: FIRST, max: last }), { maxLength: 3 }),
      async (sizes, stops) => {
        const node = await recordedNode((count) => sizes[count % sizes.length] as number);
        const inOrder = [...stops].sort((a, b) => (a < b ? -1 : 1));
        expect(await read(node, inOrder)).toEqual(expected);
      },
    );
    await fc.assert(property, { seed, numRuns: 15 });
  });
});
