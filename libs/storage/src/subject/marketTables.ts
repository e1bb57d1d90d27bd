import { aggregateKeyText, type AggregateKey } from '@imart/core';
import {
  splitBalanceId,
  splitClaimId,
  splitCommissionId,
  splitContractId,
  splitPrizeId,
} from '@imart/market';
import { column, type Column, type StateTable } from './tables';

const changed: readonly Column[] = [
  column('created_at', 'time', 'createdAtUs'),
  column('updated_at', 'time', 'updatedAtUs'),
  column('seq_no', 'bigint'),
  column('version', 'int'),
];

const trade = (maker: string, taker: string): readonly Column[] => [
  column('contract', 'word'),
  column('order_id', 'text', 'id'),
  column('opened_seq_no', 'bigint'),
  column('aggregate_type', 'word'),
  column('market', 'text'),
  column('kind', 'word'),
  column('status', 'word'),
  column(maker, 'word', 'maker'),
  column(taker, 'word', 'taker'),
  column('reserved_for', 'word'),
  column('collection', 'word'),
  column('token_id', 'quantity'),
  column('standard', 'word'),
  column('quantity', 'quantity'),
  column('filled_quantity', 'quantity'),
  column('price', 'quantity'),
  column('currency', 'word'),
  column('nonce', 'quantity'),
  column('order_hash', 'word'),
  column('escrow', 'flag'),
  column('starts_at', 'time', 'startsAtUs'),
  column('expires_at', 'time', 'expiresAtUs'),
  column('items', 'json'),
  column('beneath', 'json'),
  ...changed,
];

/** How a table's newest rows are found by the ids of aggregates. */
export interface MarketTable extends StateTable {
  /** Types of the columns in `idColumns`, as SQL arrays. */
  readonly idTypes: readonly ('text[]' | 'numeric[]')[];
  readonly idColumns: readonly string[];
  /** The values of `idColumns` for an aggregate id. */
  readonly idValues: (aggregateId: string) => readonly string[];
  /** Whether rows of several aggregate types share the table. */
  readonly sharedByTypes: boolean;
  /** The column that tells successive rows of one aggregate apart; the greatest is the newest. */
  readonly newestBy: string | null;
}

const contractId = (aggregateId: string): readonly string[] => {
  const { contract, id } = splitContractId(aggregateId);
  return [contract, id];
};

const tradeTable = (name: string, maker: string, taker: string): MarketTable => ({
  name,
  columns: trade(maker, taker),
  key: ['contract', 'order_id', 'opened_seq_no'],
  idColumns: ['contract', 'order_id'],
  idTypes: ['text[]', 'text[]'],
  idValues: contractId,
  sharedByTypes: true,
  newestBy: 'opened_seq_no',
});

const simple = (
  name: string,
  columns: readonly Column[],
  idColumns: readonly string[],
  idTypes: MarketTable['idTypes'],
  idValues: (aggregateId: string) => readonly string[],
): MarketTable => ({
  name,
  columns: [...columns, ...changed],
  key: idColumns,
  idColumns,
  idTypes,
  idValues,
  sharedByTypes: false,
  newestBy: null,
});

/** A table of what a curation's contract counts by ids of its own. */
const curated = (name: string, idColumn: string, columns: readonly Column[]): MarketTable =>
  simple(
    name,
    [
      column('contract', 'word'),
      column(idColumn, 'text', 'id'),
      column('market', 'text'),
      column('collection', 'word'),
      column('token_id', 'quantity'),
      column('standard', 'word'),
      ...columns,
    ],
    ['contract', idColumn],
    ['text[]', 'text[]'],
    contractId,
  );

/** Every table of market state, by the name that rows carry. */
export const marketTables: ReadonlyMap<string, MarketTable> = new Map(
  [
    tradeTable('orders', 'seller', 'buyer'),
    tradeTable('offers', 'bidder', 'seller'),
    simple(
      'tokens',
      [
        column('collection', 'word'),
        column('token_id', 'quantity'),
        column('standard', 'word'),
        column('owner', 'word'),
        column('minted_at', 'time', 'mintedAtUs'),
        column('transfer_count', 'int'),
      ],
      ['collection', 'token_id'],
      ['text[]', 'numeric[]'],
      contractId,
    ),
    simple(
      'balances',
      [
        column('collection', 'word'),
        column('token_id', 'quantity'),
        column('owner', 'word'),
        column('quantity', 'quantity'),
        column('standard', 'word'),
      ],
      ['collection', 'token_id', 'owner'],
      ['text[]', 'numeric[]', 'text[]'],
      (aggregateId) => {
        const { collection, tokenId, owner } = splitBalanceId(aggregateId);
        return [collection, tokenId.toString(), owner];
      },
    ),
    simple(
      'collections',
      [
        column('address', 'word'),
        column('factory', 'word'),
        column('standard', 'word'),
        column('creator', 'word'),
        column('name', 'text'),
        column('name_bytes', 'word'),
        column('category', 'text'),
        column('tags', 'json'),
        column('description', 'text'),
        column('uri', 'text'),
        column('royalties', 'json'),
        column('maximum', 'quantity'),
      ],
      ['address'],
      ['text[]'],
      (aggregateId) => [aggregateId],
    ),
    simple(
      'makers',
      [
        column('contract', 'word'),
        column('maker', 'word'),
        column('market', 'text'),
        column('listings_voided_seq_no', 'bigint'),
        column('offers_voided_seq_no', 'bigint'),
        column('listings_voided_below', 'quantity'),
        column('offers_voided_below', 'quantity'),
      ],
      ['contract', 'maker'],
      ['text[]', 'text[]'],
      contractId,
    ),
    simple(
      'token_details',
      [
        column('collection', 'word'),
        column('token_id', 'quantity'),
        column('standard', 'word'),
        column('creator', 'word'),
        column('collection_name', 'text'),
        column('name', 'text'),
        column('edition', 'quantity'),
        column('description', 'text'),
        column('uri', 'text'),
      ],
      ['collection', 'token_id'],
      ['text[]', 'numeric[]'],
      contractId,
    ),
    simple(
      'claims',
      [
        column('collection', 'word'),
        column('token_id', 'quantity'),
        column('sender', 'word'),
        column('receiver', 'word'),
        column('standard', 'word'),
        column('quantity', 'quantity'),
        column('status', 'word'),
      ],
      ['collection', 'token_id', 'sender', 'receiver'],
      ['text[]', 'numeric[]', 'text[]', 'text[]'],
      (aggregateId) => {
        const { collection, tokenId, sender, receiver } = splitClaimId(aggregateId);
        return [collection, tokenId.toString(), sender, receiver];
      },
    ),
    curated('galleries', 'gallery_id', [
      column('owner', 'word'),
      column('space_type', 'text'),
      column('name', 'text'),
      column('metadata_uri', 'text'),
      column('commissions', 'json'),
      column('commission_pool', 'word'),
      column('admissions', 'json'),
    ]),
    curated('curation_offers', 'offer_id', [
      column('status', 'word'),
      column('gallery_id', 'quantity'),
      column('from_address', 'word', 'from'),
      column('to_address', 'word', 'to'),
      column('price', 'quantity'),
      column('currency', 'word'),
      column('starts_at', 'time', 'startsAtUs'),
      column('expires_at', 'time', 'expiresAtUs'),
      column('exhibit_expires_at', 'time', 'exhibitExpiresAtUs'),
      column('url', 'text'),
      column('detail', 'text'),
    ]),
    curated('exhibits', 'exhibit_id', [
      column('status', 'word'),
      column('gallery_id', 'quantity'),
      column('origin', 'word'),
      column('curator', 'word'),
      column('owner', 'word'),
      column('price', 'quantity'),
      column('currency', 'word'),
      column('expires_at', 'time', 'expiresAtUs'),
      column('location', 'text'),
      column('url', 'text'),
      column('detail', 'text'),
    ]),
    simple(
      'commissions',
      [
        column('contract', 'word'),
        column('gallery_id', 'quantity'),
        column('payee', 'word'),
        column('market', 'text'),
        column('claimable', 'quantity'),
        column('currency', 'word'),
      ],
      ['contract', 'gallery_id', 'payee'],
      ['text[]', 'numeric[]', 'text[]'],
      (aggregateId) => {
        const { contract, galleryId, payee } = splitCommissionId(aggregateId);
        return [contract, galleryId.toString(), payee];
      },
    ),
    simple(
      'lotteries',
      [
        column('contract', 'word'),
        column('lottery_id', 'text', 'id'),
        column('market', 'text'),
        column('status', 'word'),
        column('organizer', 'word'),
        column('collection', 'word'),
        column('end_block', 'quantity'),
        column('merkle_root', 'word'),
      ],
      ['contract', 'lottery_id'],
      ['text[]', 'text[]'],
      contractId,
    ),
    simple(
      'prizes',
      [
        column('contract', 'word'),
        column('lottery_id', 'text'),
        column('token_id', 'quantity'),
        column('market', 'text'),
        column('organizer', 'word'),
        column('collection', 'word'),
        column('quantity', 'quantity'),
        column('claimed_quantity', 'quantity'),
        column('claimer', 'word'),
      ],
      ['contract', 'lottery_id', 'token_id'],
      ['text[]', 'text[]', 'numeric[]'],
      (aggregateId) => {
        const { contract, lotteryId, tokenId } = splitPrizeId(aggregateId);
        return [contract, lotteryId, tokenId.toString()];
      },
    ),
  ].map((table) => [table.name, table]),
);

const itemsOf = (list: unknown): unknown =>
  (list as { tokenId: string | null; quantity: string }[]).map((item) => ({
    ...item,
    tokenId: item.tokenId === null ? null : BigInt(item.tokenId),
    quantity: BigInt(item.quantity),
  }));

const sharesOf = (list: unknown): unknown =>
  (list as { payee: string; rate: string }[]).map((r) => ({ ...r, rate: BigInt(r.rate) }));

/** Fields of orders and offers that hold a `bigint`; both tables have the same. */
const tradeQuantities: ReadonlySet<string> = new Set(
  trade('seller', 'buyer')
    .filter(({ type }) => type === 'quantity' || type === 'bigint' || type === 'time')
    .map(({ field }) => field),
);

/** A whole order inside another one. */
const tradeOf = (stored: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries(stored).map(([field, value]) => {
      if (value === null) return [field, null];
      if (tradeQuantities.has(field)) return [field, BigInt(value as string)];
      return [field, field === 'items' ? itemsOf(value) : value];
    }),
  );

/** How the lists in `json` columns get their quantities back. */
export const marketJson: Readonly<Record<string, (list: unknown) => unknown>> = {
  items: itemsOf,
  beneath: (list) => (list as Readonly<Record<string, unknown>>[]).map(tradeOf),
  royalties: sharesOf,
  commissions: sharesOf,
};

/** The `key` of a row as its reducer makes it. */
export function rowKey(table: MarketTable, stored: Readonly<Record<string, unknown>>): string {
  return table.key.map((name) => String(stored[name])).join(':');
}

/** Groups keys by aggregate type. */
export function byType(keys: readonly AggregateKey[]): ReadonlyMap<string, readonly AggregateKey[]> {
  const groups = new Map<string, AggregateKey[]>();
  for (const key of keys) {
    const group = groups.get(key.aggregateType);
    if (group === undefined) groups.set(key.aggregateType, [key]);
    else group.push(key);
  }
  return groups;
}

export const keyTextOf = (key: AggregateKey): string => aggregateKeyText(key.aggregateType, key.aggregateId);
