import type { EvmLog, EvmReceipt } from '../log';
import {
  hasRecordings,
  readRecording,
  recordedMarketplaceLogs,
  recordedReceipts,
  recordedSales,
} from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { cryptoPunks } from './cryptoPunks';

const PUNKS = '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb';
const ZERO = addressOf(0);
const [OWNER, BUYER, OTHER, WALLET] = [1, 2, 3, 4].map(addressOf) as [string, string, string, string];

const log = (signature: string, ...values: unknown[]): EvmLog => encodeLog(PUNKS, signature, values);
const assign = (to: string) => log('Assign(address indexed to, uint256 punkIndex)', to, 9n);
const offered = (price: bigint, to = ZERO, punk = 9n) =>
  log('PunkOffered(uint256 indexed punkIndex, uint256 minValue, address indexed toAddress)', punk, price, to);
const bid = (from: string, value: bigint, punk = 9n) =>
  log(
    'PunkBidEntered(uint256 indexed punkIndex, uint256 value, address indexed fromAddress)',
    punk,
    value,
    from,
  );
const withdrawn = (from: string, value: bigint) =>
  log(
    'PunkBidWithdrawn(uint256 indexed punkIndex, uint256 value, address indexed fromAddress)',
    9n,
    value,
    from,
  );
const withdrawnFromSale = (punk = 9n) => log('PunkNoLongerForSale(uint256 indexed punkIndex)', punk);
const transfer = (from: string, to: string) =>
  log('Transfer(address indexed from, address indexed to, uint256 value)', from, to, 1n);
const bought = (value: bigint, from: string, to: string, punk = 9n) =>
  log(
    'PunkBought(uint256 indexed punkIndex, uint256 value, address indexed fromAddress, address indexed toAddress)',
    punk,
    value,
    from,
    to,
  );
const punkTransfer = (from: string, to: string) =>
  log('PunkTransfer(address indexed from, address indexed to, uint256 punkIndex)', from, to, 9n);

/** As buyPunk, acceptBidForPunk and transferPunk log. */
const purchase = (value: bigint, from: string, to: string) => [
  transfer(from, to),
  withdrawnFromSale(),
  bought(value, from, to),
];
const acceptance = (seller: string, bidder: string) => [transfer(seller, bidder), bought(0n, seller, ZERO)];
const gift = (from: string, to: string, listed: boolean) => [
  ...(listed ? [withdrawnFromSale()] : []),
  transfer(from, to),
  punkTransfer(from, to),
];

let number = 0;
const by = (from: string, ...logs: EvmLog[]): EvmReceipt => receiptWith(++number, logs, { from, to: PUNKS });
const fold = (...receipts: EvmReceipt[]) => foldEvents(translateReceipts(cryptoPunks, [PUNKS], receipts));

describe('cryptoPunks', () => {
  it('claims a punk, offers it to one address, reprices it, and sells it', () => {
    const { rows, activities } = fold(
      by(OWNER, assign(OWNER)),
      by(OWNER, offered(100n, BUYER)),
      by(OWNER, offered(90n)),
      by(BUYER, ...purchase(95n, OWNER, BUYER)),
    );
    expect(rows).toMatchObject([
      { table: 'tokens', collection: PUNKS, tokenId: 9n, standard: 'punk', owner: BUYER, transferCount: 1 },
      {
        table: 'orders',
        id: '9',
        maker: OWNER,
        reservedFor: null,
        taker: BUYER,
        price: 90n,
        currency: ZERO,
        status: 'SOLD',
        standard: 'punk',
      },
    ]);
    expect(activities.map((a) => [a.kind, a.from, a.to, a.price])).toEqual([
      ['MINT', ZERO, OWNER, null],
      ['LIST', OWNER, BUYER, 100n],
      ['UPDATE', OWNER, null, 90n],
      // The sale is at what was paid, which may be more than was asked.
      ['SALE', OWNER, BUYER, 95n],
      ['TRANSFER', OWNER, BUYER, null],
    ]);
  });

  it('reads the accepted bid that the contract logs as value 0 to nobody: buyer and price are the bid’s', () => {
    const { rows, activities } = fold(
      by(OWNER, offered(100n)),
      by(BUYER, bid(BUYER, 70n)),
      by(OWNER, ...acceptance(OWNER, BUYER)),
    );
    expect(rows).toMatchObject([
      { table: 'orders', status: 'CANCELED', maker: OWNER },
      { table: 'offers', status: 'ACCEPTED', maker: BUYER, taker: OWNER, price: 70n },
      { table: 'tokens', owner: BUYER },
    ]);
    expect(activities.filter((a) => a.kind === 'SALE')).toMatchObject([
      { side: 'offer', from: OWNER, to: BUYER, price: 70n, currency: ZERO, tokenId: 9n },
    ]);
  });

  it('knows seller and buyer of an accepted bid that was not seen, but no price (D14)', () => {
    const { rows, activities } = fold(by(OWNER, ...acceptance(OWNER, BUYER)));
    expect(rows[0]).toMatchObject({
      table: 'offers',
      status: 'ACCEPTED',
      maker: BUYER,
      taker: OWNER,
      price: null,
    });
    expect(activities[0]).toMatchObject({ kind: 'SALE', from: OWNER, to: BUYER, price: null });
  });

  it('pairs each of several accepted bids of one transaction with its own Transfer (D8)', () => {
    const events = translateReceipts(
      cryptoPunks,
      [PUNKS],
      [
        by(
          OWNER,
          transfer(OWNER, BUYER),
          bought(0n, OWNER, ZERO, 1n),
          transfer(OWNER, OTHER),
          bought(0n, OWNER, ZERO, 2n),
        ),
      ],
    );
    expect(saleLines(events).map((sale) => [sale.token_id, sale.buyer])).toEqual([
      ['1', BUYER],
      ['2', OTHER],
    ]);
  });

  it('parks an accepted bid without its Transfer', () => {
    expect(() => fold(by(OWNER, bought(0n, OWNER, ZERO)))).toThrow(
      expect.objectContaining({ code: 'PUNK_BUYER_UNKNOWN', disposition: 'park' }),
    );
  });

  it('takes a punk given away for nothing by a listing of price 0 for a purchase, not an accepted bid', () => {
    const { rows } = fold(by(OWNER, offered(0n, BUYER)), by(BUYER, ...purchase(0n, OWNER, BUYER)));
    expect(rows[0]).toMatchObject({ table: 'orders', status: 'SOLD', price: 0n, taker: BUYER });
  });

  it('ends the listing when the punk is transferred, and the bid of whoever gets it', () => {
    const { rows, activities } = fold(
      by(OWNER, offered(100n)),
      by(BUYER, bid(BUYER, 70n)),
      by(OWNER, ...gift(OWNER, BUYER, true)),
    );
    expect(rows).toMatchObject([
      { table: 'orders', status: 'CANCELED' },
      { table: 'offers', status: 'CANCELED', maker: BUYER },
      { table: 'tokens', owner: BUYER },
    ]);
    expect(activities.map((a) => a.kind)).toEqual(['LIST', 'OFFER', 'CANCEL', 'TRANSFER', 'OFFER_CANCEL']);
  });

  it('keeps the bid of somebody else when the punk is transferred or bought', () => {
    const { rows } = fold(
      by(OTHER, bid(OTHER, 70n)),
      by(OWNER, ...gift(OWNER, BUYER, false)),
      by(BUYER, offered(100n)),
      by(OWNER, ...purchase(100n, BUYER, OWNER)),
    );
    expect(rows[0]).toMatchObject({ table: 'offers', status: 'CREATED', maker: OTHER });
  });

  it('clears the buyer’s own bid', () => {
    const { rows } = fold(
      by(OWNER, offered(100n)),
      by(BUYER, bid(BUYER, 70n)),
      by(BUYER, ...purchase(100n, OWNER, BUYER)),
    );
    expect(rows).toMatchObject([
      { table: 'orders', status: 'SOLD' },
      { table: 'offers', status: 'CANCELED' },
      { table: 'tokens', owner: BUYER },
    ]);
  });

  it('replaces a bid by a higher one, and withdraws', () => {
    const { rows } = fold(
      by(BUYER, bid(BUYER, 70n)),
      by(OTHER, bid(OTHER, 80n)),
      by(OTHER, bid(OTHER, 85n)),
      by(OTHER, withdrawn(OTHER, 85n)),
    );
    expect(rows).toMatchObject([
      { maker: BUYER, status: 'CANCELED', price: 70n },
      { maker: OTHER, status: 'CANCELED', price: 85n },
    ]);
  });

  it('withdraws a listing, and says nothing of a punk that was not for sale', () => {
    const withdrawal = by(OWNER, withdrawnFromSale());
    expect(fold(by(OWNER, offered(100n)), by(OWNER, withdrawnFromSale())).rows).toMatchObject([
      { status: 'CANCELED' },
    ]);
    expect(fold(withdrawal)).toEqual({ rows: [], activities: [] });
  });

  it('tells a withdrawal from a purchase of the same punk in one transaction (D8)', () => {
    const { rows } = fold(
      by(OWNER, offered(100n)),
      by(OWNER, withdrawnFromSale(), offered(60n), ...purchase(60n, OWNER, BUYER)),
    );
    expect(rows.filter((row) => row.table === 'orders')).toMatchObject([
      { price: 100n, status: 'CANCELED' },
      { price: 60n, status: 'SOLD' },
    ]);
  });

  it.each([
    ['the same punk’s accepted bid', [withdrawnFromSale(), ...acceptance(OWNER, BUYER)]],
    ['the purchase of another punk', [withdrawnFromSale(), bought(5n, OTHER, BUYER, 2n)]],
  ])('takes a withdrawal that is followed by %s for what it is', (_, logs) => {
    const events = translateReceipts(cryptoPunks, [PUNKS], [by(OWNER, ...logs)]);
    expect(events[0]).toMatchObject({
      name: 'OrderCancelled',
      aggregateId: `${PUNKS}:9`,
      source: { index: 0 },
    });
  });

  it('keeps the withdrawal of one punk apart from the purchase of another', () => {
    const { rows } = fold(
      by(OWNER, offered(100n, ZERO, 1n)),
      by(
        OWNER,
        withdrawnFromSale(1n),
        transfer(OTHER, BUYER),
        withdrawnFromSale(2n),
        bought(5n, OTHER, BUYER, 2n),
      ),
    );
    expect(rows.filter((row) => row.table === 'orders')).toMatchObject([
      { id: '1', status: 'CANCELED' },
      { id: '2', status: 'SOLD' },
    ]);
  });

  it.each([
    ['the caller of the contract', by(OWNER, offered(1n)), OWNER],
    [
      'the contract that was called, when it called on',
      receiptWith(1, [offered(1n)], { from: OTHER, to: WALLET }),
      WALLET,
    ],
    [
      'who bought it earlier in the transaction',
      by(OTHER, ...purchase(1n, OWNER, WALLET), offered(2n)),
      WALLET,
    ],
    ['who got it earlier in the transaction', by(OTHER, ...gift(OWNER, WALLET, false), offered(2n)), WALLET],
  ])('takes for the seller, whom PunkOffered does not name, %s', (_, receipt, seller) => {
    const events = translateReceipts(cryptoPunks, [PUNKS], [receipt]);
    expect(events.find((event) => event.name === 'OrderListed')).toMatchObject({ data: { maker: seller } });
  });

  it('asks for receipts only where the log does not say who', () => {
    const asking = [offered(1n), bought(0n, OWNER, ZERO)];
    const telling = [
      assign(OWNER),
      bid(BUYER, 1n),
      withdrawn(BUYER, 1n),
      withdrawnFromSale(),
      punkTransfer(OWNER, BUYER),
      bought(0n, OWNER, BUYER),
    ];
    expect(asking.every((one) => cryptoPunks.needsReceipt(one))).toBe(true);
    expect(telling.some((one) => cryptoPunks.needsReceipt(one))).toBe(false);
  });
});

(hasRecordings() ? describe : describe.skip)('cryptoPunks on recorded blocks', () => {
  const events = () => translateReceipts(cryptoPunks, [PUNKS], recordedReceipts());

  it('finds the recorded sale', () => {
    const [expected, ...more] = recordedSales().filter((sale) => sale.protocol === 'punks');
    expect(more).toEqual([]);
    const { block, tx_hash, log_index, token, token_id, amount, seller, buyer, currency, price_raw } =
      expected!;
    expect(saleLines(events())).toEqual([
      {
        block,
        tx_hash,
        log_index,
        token,
        token_id,
        amount,
        seller,
        buyer,
        currency,
        price_raw,
        side: 'listing',
        order_hash: '',
      },
    ]);
  });

  it('makes of each recorded log what it means, and nothing of the first contract’s', () => {
    const recorded = recordedMarketplaceLogs().filter(
      (log) => log.protocol === 'punks' && log.address === PUNKS,
    );
    expect(recorded.map((log) => log.event)).toEqual([
      'PunkNoLongerForSale',
      'PunkTransfer',
      'PunkOffered',
      'PunkNoLongerForSale',
      'PunkBought',
    ]);
    expect(events().map((event) => [event.source.position, event.name, event.aggregateId])).toEqual([
      [5774644n, 'OrderCancelled', `${PUNKS}:89`],
      [5774644n, 'TokenTransferred', `${PUNKS}:89`],
      [5774644n, 'OfferCancelled', `${PUNKS}:89`],
      [12675821n, 'OrderListed', `${PUNKS}:3536`],
      [19385111n, 'OrderFilled', `${PUNKS}:8515`],
      [19385111n, 'TokenTransferred', `${PUNKS}:8515`],
      [19385111n, 'OfferCancelled', `${PUNKS}:8515`],
    ]);
    expect(events().find((event) => event.name === 'OrderListed')).toMatchObject({
      data: { maker: '0x15f7320adb990020956d29edb6ba17f3d468001e', price: 32n * 10n ** 18n, taker: null },
    });
  });

  it.each([
    ['assign', [['TokenMinted', { to: '0xcc7c335f3365ae3f7e4e8c9535dc92780a4add9d' }, '3053']]],
    [
      'punktransfer',
      [
        [
          'TokenTransferred',
          {
            from: '0xd9d9d578d2027b1c441b2141e9183ed929abfdc8',
            to: '0x36b20426c9a1315466133f14cbbb2a6371934f44',
          },
          '3536',
        ],
      ],
    ],
    [
      'punkbought',
      [
        [
          'OrderFilled',
          {
            seller: '0x6639c089adfba8bb9968da643c6be208a70d6daa',
            buyer: '0x6d6a443ed637a23b0fc3a0e55a07e785a6b0caa8',
            price: 0x80c28587a6abd0000n,
          },
          '3740',
        ],
      ],
    ],
  ] as const)('reads the recorded single transaction %s', (name, expected) => {
    const recorded = JSON.parse(readRecording(`chainstorage/raw_block_cryptopunks_${name}.json`)) as {
      ethereum: { transactionReceipts: [string] };
    };
    const receipt = JSON.parse(atob(recorded.ethereum.transactionReceipts[0])) as { logs: EvmLog[] };
    const [event] = translateReceipts(cryptoPunks, [PUNKS], [receiptWith(1, receipt.logs)]);
    expect([[event?.name, event?.data, event?.aggregateId]]).toMatchObject(
      expected.map(([eventName, data, id]) => [eventName, data, `${PUNKS}:${id}`]),
    );
  });
});
