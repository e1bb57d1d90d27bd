import { aptos } from '@aptos-labs/aptos-protos';
import fc from 'fast-check';
import type { Event, SubjectId } from '@imart/core';
import { marketEventCodec, type MarketEvent, type TokenRow, type TradeRow } from '@imart/market';
import { createEventFilter } from '../eventFilter';
import { readProtoJsonTransaction } from '../read/protoJsonTransaction';
import type { ReadTransaction } from '../read/readEvent';
import { readRestTransaction } from '../read/restTransaction';
import { readWireTransaction } from '../read/wireTransaction';
import { aptosSeqNo } from '../seqNo';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { protoJsonToRest } from '../testing/protoJsonToRest';
import { describeAptosRecordings, recordedTransactions } from '../testing/recordings.spec';
import { foldEvents } from '../testing/translation';
import { createTranslator } from '../translate';
import { aptosMarketplaces } from './index';

const { Transaction } = aptos.transaction.v1;
const seed = Date.now() % 2 ** 31;

/** Every marketplace where it is known to be; IMart's, which has no one address, somewhere. */
const markets = aptosMarketplaces.map((marketplace) => marketplace.at(marketplace.packageOn(1) ?? '0x1a57'));

/** What the library's own translator makes of them, as the log holds it. */
function eventsOf(transactions: readonly ReadTransaction[]): MarketEvent[] {
  const translator = createTranslator({
    subjectId: 'aptos:1' as SubjectId,
    filter: createEventFilter(markets),
    seqNo: aptosSeqNo,
  });
  const events: Event[] = [];
  for (const transaction of transactions) translator.translate(transaction, events);
  expect(translator.stats.undecodableEvents).toBe(0);
  return events.map(({ name, data, ...rest }) => ({
    ...rest,
    name,
    data: marketEventCodec.decode(name, marketEventCodec.encode(name, data)),
  })) as MarketEvent[];
}

describeAptosRecordings('every marketplace over every recorded transaction', () => {
  const byVersion = (a: ReadTransaction, b: ReadTransaction): number => (a.version < b.version ? -1 : 1);
  const all = (read: (json: unknown) => ReadTransaction): readonly ReadTransaction[] =>
    [...recordedTransactions().values()].map(read).sort(byVersion);
  const fromJson = eventsOf(all(readProtoJsonTransaction));

  it('says the same from REST and from the wire', () => {
    expect(fromJson.length).toBeGreaterThan(30);
    expect(eventsOf(all((json) => readRestTransaction(protoJsonToRest(json))))).toEqual(fromJson);
    const wire = (json: unknown): ReadTransaction =>
      readWireTransaction(Buffer.from(Transaction.encode(Transaction.fromJSON(json)).finish()));
    expect(eventsOf(all(wire))).toEqual(fromJson);
  });

  it(`says the same of transactions whichever come together (seed ${seed})`, () => {
    const transactions = all(readProtoJsonTransaction);
    const cuts = fc.array(fc.nat(transactions.length), { maxLength: 10 });
    fc.assert(
      fc.property(cuts, (places) => {
        const borders = [0, ...places.toSorted((a, b) => a - b), transactions.length];
        const batches = borders.slice(1).map((end, i) => transactions.slice(borders[i], end));
        expect(batches.flatMap(eventsOf)).toEqual(fromJson);
      }),
      { seed, numRuns: 20 },
    );
  });

  it('folds to the same in any batching, and of what is read twice', () => {
    expectSameInAnyBatching(fromJson);
  });

  it('has one form of addresses in everything that it says', () => {
    const text = JSON.stringify(
      fromJson.map(({ aggregateId, data }) => [aggregateId, data]),
      (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    );
    const addresses = [...text.matchAll(/\b0x[0-9a-fA-F]+\b/g)].map(([address]) => address);
    expect(addresses.length).toBeGreaterThan(100);
    expect(addresses.filter((one) => !/^0x[0-9a-f]{64}$/.test(one))).toEqual([]);
  });

  it('agrees with itself: who bought a token of the second standard has it', () => {
    const { rows, activities } = foldEvents(fromJson);
    const owners = new Map(
      rows
        .filter((row): row is TokenRow => row.table === 'tokens')
        .map((row) => [row.tokenId, row.owner] as const),
    );
    const sales = activities.filter(({ kind, tokenId }) => kind === 'SALE' && owners.has(tokenId ?? -1n));
    expect(sales.length).toBeGreaterThan(1);
    for (const sale of sales) expect(owners.get(sale.tokenId as bigint)).toBe(sale.to);
    expect(rows.filter((row): row is TradeRow => row.table === 'orders').length).toBeGreaterThan(4);
  });
});
