import type { EvmLog } from '../log';
import { recordedReceipts, recordedSales } from './recordedBlocks';
import { ZERO_ADDRESS } from '../zeroAddress';

/*
 * What the recorded sales are to become: `sales.csv`, and where this product means to say something else, what and why
 * not as in the file.
 */

/** A row of `sales.csv`. */
export type RecordedSale = ReturnType<typeof recordedSales>[number];

const WETH = '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2';
const GALA = '0x15d4c048f83bd7e37d49ea4c83a07267ec4203da';

/** A line of `sales.csv`, in the columns of the events. */
export interface SaleLine {
  readonly side: string | null;
  readonly isSale: boolean;
  readonly orderHash: string | null;
  readonly token: string;
  readonly tokenId: string;
  readonly amount: string;
  readonly seller: string | null;
  readonly buyer: string | null;
  readonly currency: string | null;
  readonly price: string;
  readonly itemsInOrder: number;
}

const lineOf = (row: RecordedSale): SaleLine => ({
  side: row.kind,
  isSale: true,
  orderHash: row.order_hash === '' ? null : row.order_hash,
  token: row.token,
  tokenId: row.token_id,
  amount: row.amount,
  seller: row.seller,
  buyer: row.buyer,
  currency: row.currency,
  price: row.price_raw,
  itemsInOrder: Number(row.items_in_order),
});

/**
 * Matches that `sales.csv` leaves open, with the transfers that stand between them and the match before, read from the
 * blocks by hand: transaction, log, token contract, receiver, token ids.
 */
const WYVERN_OPEN: readonly (readonly [string, string, string, string, string[]])[] = [
  [
    '0xdfa69e31',
    '91',
    '0x96316355c44be69414756d6706c61e61aecbd5f3',
    '0xbf49b454818783d12bf4f3375ff17c59015e66cb',
    ['7383', '7512'],
  ],
  [
    '0x98319740',
    '221',
    '0x57f1887a8bf19b14fc0df6fd9b2acc9af147ea85',
    '0x0ce8a7a4dd77ae159520b4f6f9b5079d2abe390f',
    ['35623885868765356493142406934728813471905081462197703743083787335719537939388'],
  ],
  [
    '0x98319740',
    '223',
    '0x57f1887a8bf19b14fc0df6fd9b2acc9af147ea85',
    '0x0ce8a7a4dd77ae159520b4f6f9b5079d2abe390f',
    ['69617175696744305644937300405487360573530234451704165508873649452850181000347'],
  ],
  [
    '0xd6f6ebfc',
    '97',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0xf4accdfa928bf863d097ecf4c4bb57ad77aa0cb2',
    ['5199'],
  ],
  [
    '0xd6f6ebfc',
    '100',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0xf4accdfa928bf863d097ecf4c4bb57ad77aa0cb2',
    ['761'],
  ],
  [
    '0x467d43f4',
    '209',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1866'],
  ],
  [
    '0x467d43f4',
    '212',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1809'],
  ],
  [
    '0x467d43f4',
    '215',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1165'],
  ],
  [
    '0x467d43f4',
    '218',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1162'],
  ],
  [
    '0x62f4399f',
    '412',
    '0x75335297cb5029c2a9acb2b47507f18ffd48e96c',
    '0x8951f25adcc7c3256dd9b521ed726fb587a46d52',
    ['1885'],
  ],
  [
    '0x974926f8',
    '636',
    '0x69b9c98e8d715c25b330d0d4eb07e68cbb7f6cfc',
    '0xceb638a86eb40b6e349615eade6b80267044ead1',
    ['4063'],
  ],
];

/** The currencies of the matches that were not paid in ether, by their WETH or GALA transfers. */
const WYVERN_ERC20: Readonly<Record<string, string>> = { '536': WETH, '240': WETH, '602': GALA };

/** What the events mean to say instead of some rows. */
export interface SaleDifference {
  readonly name: string;
  /** How many rows it is about, so that it cannot come to excuse more. */
  readonly rows: number;
  applies(row: RecordedSale): boolean;
  instead(row: RecordedSale, line: SaleLine): SaleLine[];
}

/** Every difference; docs/real-data.md gives the reasons. A row has one at most. */
export const SALE_DIFFERENCES: readonly SaleDifference[] = [
  {
    name: 'Wyvern sales have a currency',
    rows: 132,
    applies: (row) => row.protocol === 'wyvern' && row.kind !== 'unresolved',
    instead: (row, line) => {
      const currency = row.kind === 'offer' ? (WYVERN_ERC20[row.log_index] ?? 'missing') : ZERO_ADDRESS;
      return [{ ...line, currency: row.price_raw === '0' ? null : currency }];
    },
  },
  {
    name: 'Wyvern bundles and purchases through aggregators are resolved',
    rows: 11,
    applies: (row) => row.kind === 'unresolved',
    instead: (row, line) => {
      const open = WYVERN_OPEN.filter(([tx, index]) => row.tx_hash.startsWith(tx) && row.log_index === index);
      return open.flatMap(([, , token, buyer, ids]) =>
        ids.map((tokenId) => ({
          ...line,
          side: 'listing',
          orderHash: `0x${(logAt(row)?.data ?? '').slice(2 + 64, 2 + 128)}`,
          token,
          tokenId,
          amount: '1',
          seller: row.note.slice('maker='.length, 'maker='.length + 42),
          buyer,
          currency: ZERO_ADDRESS,
          itemsInOrder: ids.length,
        })),
      );
    },
  },
  {
    name: 'A token minted on its sale is the storefront’s, not the adapter’s',
    rows: 1,
    applies: (row) => row.token === '0xa604060890923ff400e8c6f5290461a83aedacec',
    instead: (_, line) => [{ ...line, token: '0x495f947276749ce646f68ac8c248420045cb7b5e' }],
  },
  {
    name: 'The listing half of a matched trade is no sale, and its taker is the bidder',
    rows: 3,
    applies: (row) => row.note === 'matched' && row.kind === 'listing',
    instead: (row, line) => {
      const offer = recordedSales().find(
        (other) => other.tx_hash === row.tx_hash && other.kind === 'offer' && other.note === 'matched',
      );
      return [{ ...line, isSale: false, buyer: offer?.buyer ?? 'missing' }];
    },
  },
  {
    name: 'Ether from the Blur pool is ether',
    rows: 1,
    applies: (row) => row.currency === '0x0000000000a39bb272e79075ade125fd351887ac',
    instead: (_, line) => [{ ...line, currency: ZERO_ADDRESS }],
  },
  {
    name: 'Blur v2 pays in ether',
    rows: 6,
    applies: (row) => row.protocol === 'blur2',
    instead: (_, line) => [{ ...line, currency: ZERO_ADDRESS }],
  },
  {
    name: 'A punk bought is a listing taken',
    rows: 1,
    applies: (row) => row.kind === 'bought',
    instead: (_, line) => [{ ...line, side: 'listing' }],
  },
];

function logAt(row: { tx_hash: string; log_index: string }): EvmLog | undefined {
  return recordedReceipts()
    .find(({ transactionHash }) => transactionHash === row.tx_hash)
    ?.logs.find(({ logIndex }) => logIndex === Number(row.log_index));
}

/** What stands for this row: itself, or what the difference that it falls under puts in its place. */
export function expectedLinesOf(row: RecordedSale): SaleLine[] {
  const [difference, ...more] = SALE_DIFFERENCES.filter(({ applies }) => applies(row));
  if (more.length > 0) throw new Error(`${row.tx_hash}/${row.log_index} falls under several differences`);
  return difference?.instead(row, lineOf(row)) ?? [lineOf(row)];
}
