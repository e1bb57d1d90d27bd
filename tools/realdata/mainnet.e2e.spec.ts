import { readFileSync } from 'node:fs';
import {
  recordedMarketplaceLogs,
  recordedReceipts,
  recordedSales,
} from '../../libs/chain-evm/src/testing/recordedBlocks';
import { expectedLinesOf } from '../../libs/chain-evm/src/testing/recordedSaleLines';
import { runMainnet, type MainnetRun } from './mainnetRun';
import { describeRecorded, recorded } from './recordings';
import type { Row } from './tables';

/*
 * The worker as a process over every recorded mainnet block, one run for each contiguous piece. What it leaves in the
 * database is compared with what others read from the same blocks.
 */

const place = (txHash: unknown, logIndex: unknown): string => `${String(txHash)}/${String(logIndex)}`;
const placeOfRow = (row: { tx_hash: string; log_index: string }): string => place(row.tx_hash, row.log_index);
const addressIn = (topic: string | undefined): string => `0x${(topic ?? '').slice(-40)}`;
const wordsOf = (data: string): string[] => data.slice(2).match(/.{64}/g) ?? [];
const ZERO = `0x${'0'.repeat(40)}`;

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const TRANSFER_SINGLE = '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62';
const TRANSFER_BATCH = '0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb';

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group === undefined) groups.set(key(value), [value]);
    else group.push(value);
  }
  return groups;
}

/** Activities with the order's hash, in the order of the chain. */
const ACTIVITIES = `
  SELECT a.*, t.order_hash, t.status, t.buyer FROM activities a
  LEFT JOIN LATERAL (
    SELECT opened_seq_no, order_hash, status, buyer FROM orders o
    WHERE o.contract = a.contract AND o.order_id = a.order_id AND o.opened_seq_no <= a.seq_no
    UNION ALL
    SELECT opened_seq_no, order_hash, status, bidder FROM offers o
    WHERE o.contract = a.contract AND o.order_id = a.order_id AND o.opened_seq_no <= a.seq_no
    ORDER BY opened_seq_no DESC LIMIT 1
  ) t ON true
  ORDER BY a.seq_no, a.item`;

describeRecorded('the worker over all recorded mainnet blocks', () => {
  let run: MainnetRun;
  let activities: readonly Row[];
  let activitiesAt: ReadonlyMap<string, readonly Row[]>;

  beforeAll(async () => {
    run = await runMainnet();
    activities = await run.query(ACTIVITIES);
    activitiesAt = groupBy(activities, ({ tx_hash, log_index }) => place(tx_hash, log_index));
  });
  afterAll(() => run?.stop());

  const logAt = ({ tx_hash, log_index }: { tx_hash: string; log_index: string }) => {
    const log = recordedReceipts()
      .find(({ transactionHash }) => transactionHash === tx_hash)
      ?.logs.find(({ logIndex }) => logIndex === Number(log_index));
    if (log === undefined) throw new Error(`no log ${tx_hash}/${log_index} is recorded`);
    return log;
  };

  it('reads every piece to its end, with nothing set aside', async () => {
    expect(run.pieces).toHaveLength(15);
    const ends = await run.query(`
      SELECT start_position, next_position, ingested_seq_no = c.seq_no AS executed,
        (SELECT count(*) FROM park_markers) AS parked, (SELECT count(*) FROM event_log WHERE name = 'Undecodable') AS undecodable
      FROM subjects s JOIN checkpoints c ON c.subject = s.id`);
    expect(ends).toEqual(
      run.pieces.map(({ from, to }) => ({
        piece: from,
        start_position: String(from),
        next_position: String(to + 1),
        executed: true,
        parked: '0',
        undecodable: '0',
      })),
    );
  });

  it('tells all 336 recorded sales as SALE activities, in every column, and no other', () => {
    const rows = recordedSales();
    expect(rows).toHaveLength(336);
    const lineOf = (row: Row) => ({
      side: row['side'],
      isSale: true,
      orderHash: row['order_hash'],
      token: row['collection'],
      tokenId: row['token_id'],
      amount: row['quantity'],
      seller: row['from_address'],
      buyer: row['to_address'],
      currency: row['currency'],
      price: row['price'],
      itemsInOrder: row['item_count'],
    });
    const sales = activities.filter(
      ({ kind, block_number }) => kind === 'SALE' && block_number !== '17000000',
    );
    const salesAt = groupBy(sales, ({ tx_hash, log_index }) => place(tx_hash, log_index));
    let compared = 0;
    for (const [at, rowsThere] of groupBy(rows, placeOfRow)) {
      const expected = rowsThere.flatMap(expectedLinesOf).filter(({ isSale }) => isSale);
      const told = salesAt.get(at) ?? [];
      expect({ at, lines: told.map(lineOf) }).toEqual({ at, lines: expected });
      expect(told.map(({ item }) => item)).toEqual(told.map((_, item) => item));
      compared += expected.length;
    }
    // 336 rows: one of them is a bundle of two, three are the listing halves of matched trades.
    expect([compared, sales.length]).toEqual([334, 334]);
  });

  it('fills the listing halves of matched trades without a sale', async () => {
    const halves = recordedSales().filter(({ note, kind }) => note === 'matched' && kind === 'listing');
    expect(halves).toHaveLength(3);
    const orders = groupBy(await run.query('SELECT * FROM orders'), ({ order_hash }) => String(order_hash));
    for (const half of halves) {
      const [line] = expectedLinesOf(half);
      expect(orders.get(half.order_hash)).toEqual([
        expect.objectContaining({
          status: 'SOLD',
          seller: half.seller,
          buyer: line?.buyer,
          collection: half.token,
          token_id: half.token_id,
          price: half.price_raw,
          currency: half.currency,
        }),
      ]);
      expect(activitiesAt.get(placeOfRow(half)) ?? []).toEqual([]);
    }
  });

  it('tells every recorded cancel as a CANCEL activity and leaves its order CANCELED', async () => {
    const orders = await run.query('SELECT * FROM orders');
    const byId = groupBy(orders, ({ contract, order_id }) => `${contract}:${order_id}`);
    const counts: Record<string, number> = {};
    const said = new Set<string>();
    const soldBefore: string[] = [];
    for (const row of recordedMarketplaceLogs()) {
      const log = logAt(row);
      const words = wordsOf(log.data);
      const ids: Record<string, () => string[]> = {
        'seaport OrderCancelled': () => [`0x${words[0]}`],
        'wyvern OrderCancelled': () => [log.topics[1] ?? ''],
        'blur1 OrderCancelled': () => [`0x${words[0]}`],
        'x2y2 EvCancel': () => [log.topics[1] ?? ''],
        'looksrare1 CancelMultipleOrders': () =>
          words.slice(2).map((nonce) => `${addressIn(log.topics[1])}:${BigInt(`0x${nonce}`)}`),
      };
      const key = `${row.protocol} ${row.event}`;
      const expected = ids[key]?.();
      if (expected === undefined) continue;
      counts[key] = (counts[key] ?? 0) + expected.length;
      said.add(placeOfRow(row));
      const told = activitiesAt.get(placeOfRow(row)) ?? [];
      expect({ row, told: told.map(({ kind, contract, order_id }) => [kind, contract, order_id]) }).toEqual({
        row,
        told: expected.map((id) => ['CANCEL', row.address, id]),
      });
      for (const id of expected) {
        // Two makers cancel an order that was bought a moment before: it stays sold.
        const sold = activities.some(
          ({ kind, order_id, block_number, log_index }) =>
            kind === 'SALE' &&
            order_id === id &&
            Number(block_number) * 1e6 + Number(log_index) < Number(row.block) * 1e6 + Number(row.log_index),
        );
        if (sold) soldBefore.push(id);
        const status = sold ? 'SOLD' : 'CANCELED';
        expect(byId.get(`${row.address}:${id}`)).toEqual([expect.objectContaining({ status })]);
      }
    }
    expect(counts).toEqual({
      'seaport OrderCancelled': 21,
      'wyvern OrderCancelled': 32,
      'blur1 OrderCancelled': 1,
      'x2y2 EvCancel': 3,
      'looksrare1 CancelMultipleOrders': 1,
    });
    expect(soldBefore).toEqual([
      '0x3547c34b6263c215fbbcc877d71d8c01e6bb5b00fb8235ff034789cc228f8780',
      '0x5c97bdf417fe8fe6e3301ab003152812a6de9e346c3b4ef9a27dc6e18eb69e98',
    ]);
    const others = activities
      .filter(({ kind, block_number }) => /CANCEL/.test(String(kind)) && block_number !== '17000000')
      .filter(({ tx_hash, log_index }) => !said.has(place(tx_hash, log_index)));
    expect(others).toEqual([]);
  });

  it('keeps every recorded counter as a row of its maker', async () => {
    const makers = await run.query('SELECT * FROM makers');
    const raised = recordedMarketplaceLogs().filter(({ event }) =>
      /^(Counter|Nonce)Incremented$/.test(event),
    );
    const voided = raised.map((row) => {
      const log = logAt(row);
      return [row.address, addressIn(log.topics[1]), `${row.block}/${row.log_index}`];
    });
    const kept = makers
      .filter(({ piece }) => piece !== 17_000_000)
      .map(({ contract, maker, listings_voided_seq_no, offers_voided_seq_no }) => {
        expect(offers_voided_seq_no).toBe(listings_voided_seq_no);
        const seqNo = BigInt(String(listings_voided_seq_no));
        return [contract, maker, `${seqNo >> 31n}/${(seqNo >> 14n) & 0x1ffffn}`];
      });
    expect(voided).toHaveLength(3);
    expect(kept.map(String).sort()).toEqual(voided.map(String).sort());
  });

  it('tells what became of each punk, auction price and offer', () => {
    const rows = recordedMarketplaceLogs().filter(({ protocol }) => /^(punks|foundation)$/.test(protocol));
    const told = rows.map((row) => [
      `${row.block} ${row.event}`,
      ...(activitiesAt.get(placeOfRow(row)) ?? []).map(({ kind, price }) =>
        price === null ? kind : `${kind} ${price}`,
      ),
    ]);
    expect(told).toEqual([
      // Of the first punks contract, which was abandoned.
      ['3846659 Assign'],
      // It was not seen for sale; that it moved says all.
      ['5774644 PunkNoLongerForSale'],
      ['5774644 PunkTransfer', 'TRANSFER'],
      ['12675821 PunkOffered', 'LIST 32000000000000000000'],
      ['14000004 ReserveAuctionBidPlaced', 'OFFER 180000000000000000'],
      ['14843723 ReserveAuctionBidPlaced', 'OFFER 50000000000000000'],
      ['14843723 BuyPriceSet', 'LIST 4206900000000000000'],
      ['15000001 ReserveAuctionBidPlaced', 'OFFER 103900000000000000'],
      ['15000004 BuyPriceSet', 'LIST 1500000000000000000'],
      ['15000004 OfferMade', 'OFFER 363000000000000000'],
      // Bought in the same breath.
      ['19385111 PunkNoLongerForSale'],
      ['19385111 PunkBought', 'SALE 156900000000000000000', 'TRANSFER'],
    ]);
  });

  describe('with COLLECTIONS=all', () => {
    interface Moved {
      readonly at: string;
      readonly token: string;
      readonly tokenId: string;
      readonly quantity: string;
      readonly from: string;
      readonly to: string;
    }
    const movesIn = (rows: readonly Row[]): Moved[] =>
      rows
        .filter(({ kind }) => /^(MINT|TRANSFER|BURN)$/.test(String(kind)))
        .map((row) => ({
          at: place(row['tx_hash'], row['log_index']),
          token: String(row['collection']),
          tokenId: String(row['token_id']),
          quantity: String(row['quantity']),
          from: String(row['from_address']),
          to: String(row['to_address']),
        }));

    it('tells the 9 ERC-721 transfers that another indexer reads from blocks 17173049 and 17173050, and no ERC-20 (D6)', () => {
      interface TokenTransfer {
        readonly token_address: string;
        readonly from_address: string;
        readonly to_address: string;
        readonly transaction_hash: string;
        readonly log_index: number;
      }
      const lines = readFileSync(recorded('etl-17173049/expected_token_transfers.json'), 'utf8').trim();
      // The ids are beyond what JSON numbers keep: they are taken from the text.
      const expected = lines.split('\n').map((line) => ({
        ...(JSON.parse(line) as TokenTransfer),
        value: /"value": ?(\d+)/.exec(line)?.[1] ?? '',
      }));
      expect(expected).toHaveLength(291);
      const nfts = expected.filter(
        (t) => logAt({ tx_hash: t.transaction_hash, log_index: String(t.log_index) }).topics.length === 4,
      );
      const moves = movesIn(activities.filter(({ piece }) => piece === 17_173_049));
      const erc721 = moves.filter(({ at }) =>
        nfts.some((t) => place(t.transaction_hash, t.log_index) === at),
      );
      expect(erc721).toEqual(
        nfts.map((t) => ({
          at: place(t.transaction_hash, t.log_index),
          token: t.token_address,
          tokenId: t.value,
          quantity: '1',
          from: t.from_address,
          to: t.to_address,
        })),
      );
      expect(erc721).toHaveLength(9);
      const erc20 = expected.filter((t) => !nfts.includes(t));
      expect(erc20).toHaveLength(282);
      expect(erc20.filter((t) => activitiesAt.has(place(t.transaction_hash, t.log_index)))).toEqual([]);
    });

    it('tells the 19 ERC-721 transfers that another indexer reads from block 17000000, and no ERC-20 (D6)', () => {
      interface TokenTransfer {
        readonly tokenAddress: string;
        readonly transactionHash: string;
        readonly logIndex?: string;
        readonly erc721?: { fromAddress: string; toAddress: string; tokenId: string };
      }
      const block = JSON.parse(readFileSync(recorded('chainstorage/native_block_17000000.json'), 'utf8')) as {
        ethereum: { transactions: { tokenTransfers?: TokenTransfer[] }[] };
      };
      const expected = block.ethereum.transactions.flatMap(({ tokenTransfers }) => tokenTransfers ?? []);
      const at = (t: TokenTransfer): string => place(t.transactionHash, t.logIndex ?? '0');
      const nfts = expected.flatMap((t) =>
        t.erc721 === undefined
          ? []
          : [
              {
                at: at(t),
                token: t.tokenAddress,
                tokenId: t.erc721.tokenId,
                quantity: '1',
                from: t.erc721.fromAddress,
                to: t.erc721.toAddress,
              },
            ],
      );
      const moves = movesIn(activities.filter(({ piece }) => piece === 17_000_000));
      expect(nfts).toHaveLength(19);
      expect(moves.filter((move) => nfts.some((nft) => nft.at === move.at))).toEqual(nfts);
      const erc20 = expected.filter(({ erc721 }) => erc721 === undefined);
      expect(erc20).toHaveLength(93);
      expect(erc20.filter((t) => activitiesAt.has(at(t)))).toEqual([]);
    });

    /** What the token contracts themselves logged, of all blocks but 17000000. */
    const loggedMoves = (): Moved[] =>
      recordedReceipts().flatMap(({ logs }) =>
        logs.flatMap(({ address, topics, data, transactionHash, logIndex }): Moved[] => {
          const [topic, a, b, c] = topics;
          const words = wordsOf(data).map((word) => BigInt(`0x${word}`));
          const base = { at: place(transactionHash, logIndex), token: address };
          if (topic === TRANSFER && c !== undefined) {
            const parties = { from: addressIn(a), to: addressIn(b) };
            return [{ ...base, ...parties, tokenId: String(BigInt(c)), quantity: '1' }];
          }
          const parties = { from: addressIn(b), to: addressIn(c) };
          if (topic === TRANSFER_SINGLE)
            return [{ ...base, ...parties, tokenId: String(words[0]), quantity: String(words[1]) }];
          if (topic !== TRANSFER_BATCH) return [];
          const idsAt = Number(words[0]) / 32;
          const valuesAt = Number(words[1]) / 32;
          return Array.from({ length: Number(words[idsAt]) }, (_, i) => ({
            ...base,
            ...parties,
            tokenId: String(words[idsAt + 1 + i]),
            quantity: String(words[valuesAt + 1 + i]),
          }));
        }),
      );

    it('tells every token movement that the token contracts logged, in their order, and no other', () => {
      const logged = loggedMoves();
      const told = movesIn(activities.filter(({ piece }) => piece !== 17_000_000));
      expect(told.filter(({ token }) => token !== '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb')).toEqual(
        logged,
      );
      expect(logged.length).toBeGreaterThan(1_000);
    });

    it('knows of every ERC-721 token its last owner, and of every ERC-1155 balance the sum of its movements', async () => {
      const owners = new Map<string, string | null>();
      const balances = new Map<string, bigint>();
      const pieceOf = (block: number): number =>
        run.pieces.find(({ from, to }) => from <= block && block <= to)?.from ?? 0;
      const blocks = new Map(
        recordedReceipts().map(({ transactionHash, blockNumber }) => [transactionHash, blockNumber]),
      );
      const topicsAt = new Map(
        recordedReceipts().flatMap(({ logs }) =>
          logs.map((log) => [place(log.transactionHash, log.logIndex), log.topics[0]] as const),
        ),
      );
      for (const { at, token, tokenId, quantity, from, to } of loggedMoves()) {
        const piece = pieceOf(blocks.get(at.split('/')[0] ?? '') ?? 0);
        if (topicsAt.get(at) === TRANSFER) {
          owners.set(`${piece}/${token}/${tokenId}`, to === ZERO ? null : to);
          continue;
        }
        for (const [owner, change] of [
          [from, -BigInt(quantity)],
          [to, BigInt(quantity)],
        ] as const) {
          if (owner === ZERO) continue;
          const key = `${piece}/${token}/${tokenId}/${owner}`;
          balances.set(key, (balances.get(key) ?? 0n) + change);
        }
      }
      const tokens = await run.query(
        `SELECT * FROM tokens WHERE standard = 'erc721' AND collection <> '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb'`,
      );
      const known = tokens
        .filter(({ piece }) => piece !== 17_000_000)
        .map((t) => [`${t['piece']}/${t['collection']}/${t['token_id']}`, t['owner']]);
      expect(Object.fromEntries(known)).toEqual(Object.fromEntries(owners));
      const held = (await run.query('SELECT * FROM balances'))
        .filter(({ piece }) => piece !== 17_000_000)
        .map((b) => [`${b['piece']}/${b['collection']}/${b['token_id']}/${b['owner']}`, b['quantity']]);
      const sums = [...balances].map(([key, sum]) => [key, String(sum)]);
      expect(Object.fromEntries(held)).toEqual(Object.fromEntries(sums));
    });
  });
});
