import type { Event } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import fc from 'fast-check';
import { aptosMarketplaces } from './markets';
import type { LedgerSource } from './source/ledgerSource';
import { createFakeLedger } from './testing/fakeLedger';
import { createLedgerKit, type LedgerKit } from './testing/ledgerKit';
import { createLedgerStore } from './testing/ledgerStore';
import { describeAptosRecordings, recordedTransactions } from './testing/recordings.spec';

const seed = Date.now() % 2 ** 31;
const FIRST = 78_753_831n;
let kit: LedgerKit;
beforeEach(() => {
  kit = createLedgerKit();
});
afterEach(() => kit.close());

describeAptosRecordings('recorded transactions, served one after the other', () => {
  const markets = aptosMarketplaces.map((market) => market.at(market.packageOn(1) ?? '0x1a57'));
  // The reference encoder of the stream does not know validator transactions.
  const recordings = [...recordedTransactions().values()].filter(
    (json) => !('validator' in (json as object)),
  );

  it(`give the same events by REST and by gRPC, in pages and messages of any size (seed ${seed})`, async () => {
    const ledger = createFakeLedger(1, 'recorded', FIRST);
    for (const json of recordings) ledger.addRecorded(json);
    const [node, server] = [await kit.node(ledger), await kit.stream(ledger)];
    const read = async (source: LedgerSource): Promise<readonly Event[]> => {
      const store = createLedgerStore(FIRST);
      const subject = kit.subject(source, { chainId: 1, markets, endVersion: ledger.head });
      await kit.read(subject, store);
      expect(subject.stats()).toMatchObject({ undecodableEvents: 0, failedTransactions: 1 });
      return store.events;
    };
    const expected = await read(kit.restSource([node], { chainId: 1 }));
    expect(expected.length).toBeGreaterThan(50);
    expect(new Set(expected.map(({ name }) => name)).size).toBeGreaterThan(4);
    for (const { name, data } of expected)
      expect(marketEventCodec.decode(name, marketEventCodec.encode(name, data))).toEqual(data);
    const sizes = fc.integer({ min: 1, max: 30 });
    const property = fc.asyncProperty(sizes, sizes, async (pageMax, batchMax) => {
      expect(await read(kit.restSource([node], { chainId: 1, pageMax }))).toEqual(expected);
      expect(await read(kit.streamSource([server], { chainId: 1, batchMax }))).toEqual(expected);
    });
    await fc.assert(property, { seed, numRuns: 6 });
  });
});
