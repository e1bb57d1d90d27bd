import type { Pool } from 'pg';
import type { Event } from '@imart/core';
import { AGGREGATE, splitContractId, type MarketEvent, type TradeItem } from '@imart/market';
import { translated } from '../commands/session';

/** What of the market some events change, as reads of it see it. */
export interface Touched {
  /** Ids of order and offer aggregates. */
  readonly orders: readonly string[];
  readonly tokens: readonly TouchedToken[];
  readonly collections: readonly string[];
  readonly makers: readonly { readonly contract: string; readonly maker: string }[];
}

export interface TouchedToken {
  readonly collection: string;
  readonly tokenId: string;
}

const TOKEN_TYPES: ReadonlySet<string> = new Set([
  AGGREGATE.token,
  AGGREGATE.balance,
  AGGREGATE.tokenDetails,
  AGGREGATE.claim,
]);

/**
 * What executed events have changed: what they name, what the rows of their orders are for, and, of makers that voided their orders, what
 * these were for. Every collection of a token is named.
 */
export async function readTouched(pool: Pool, subject: number, events: readonly Event[]): Promise<Touched> {
  const orders = new Set<string>();
  const exhibits = new Set<string>();
  const makers = new Set<string>();
  const tokens = new Map<string, TouchedToken>();
  const collections = new Set<string>();
  const add = (collection: string | null, tokenId: string | null): void => {
    if (collection === null) return;
    collections.add(collection);
    if (tokenId !== null) tokens.set(`${collection}:${tokenId}`, { collection, tokenId });
  };
  for (const event of events) {
    const { aggregateType, aggregateId } = event;
    if (TOKEN_TYPES.has(aggregateType)) {
      const [collection = '', tokenId = ''] = aggregateId.split(':');
      add(collection, tokenId);
    } else if (aggregateType === AGGREGATE.collection) collections.add(aggregateId);
    else if (aggregateType === AGGREGATE.maker) makers.add(aggregateId);
    else if (aggregateType === AGGREGATE.exhibit) exhibits.add(aggregateId);
    else if (aggregateType === AGGREGATE.order || aggregateType === AGGREGATE.offer) orders.add(aggregateId);
    for (const { collection, tokenId } of itemsOf(event as MarketEvent))
      add(collection, tokenId === null ? null : String(tokenId));
  }
  const parts = (ids: ReadonlySet<string>): [string[], string[]] => [
    [...ids].map((id) => splitContractId(id).contract),
    [...ids].map((id) => splitContractId(id).id),
  ];
  if (orders.size + exhibits.size + makers.size > 0) {
    const { rows } = await translated(() =>
      pool.query(SELECT_GOODS, [subject, ...parts(orders), ...parts(exhibits), ...parts(makers)]),
    );
    for (const row of rows as {
      collection: string | null;
      token_id: string | null;
      items: string | null;
    }[]) {
      add(row.collection, row.token_id);
      const items = row.items === null ? [] : (JSON.parse(row.items) as TouchedToken[]);
      for (const { collection, tokenId } of items) add(collection, tokenId === null ? null : String(tokenId));
    }
  }
  return {
    orders: [...orders],
    tokens: [...tokens.values()],
    collections: [...collections],
    makers: [...makers].map((id) => ({
      contract: splitContractId(id).contract,
      maker: splitContractId(id).id,
    })),
  };
}

/** Parameters: subject; contracts and ids of orders and offers, of exhibits, and contracts and addresses of makers. */
const SELECT_GOODS = `
  SELECT DISTINCT o.collection, o.token_id::text AS token_id, o.items FROM unnest($2::text[], $3::text[]) AS a(contract, id)
    JOIN orders o ON o.subject = $1 AND o.contract = a.contract AND o.order_id = a.id
  UNION SELECT o.collection, o.token_id::text, o.items FROM unnest($2::text[], $3::text[]) AS a(contract, id)
    JOIN offers o ON o.subject = $1 AND o.contract = a.contract AND o.order_id = a.id
  UNION SELECT e.collection, e.token_id::text, NULL FROM unnest($4::text[], $5::text[]) AS a(contract, id)
    JOIN exhibits e ON e.subject = $1 AND e.contract = a.contract AND e.exhibit_id = a.id
  UNION SELECT o.collection, o.token_id::text, o.items FROM unnest($6::text[], $7::text[]) AS a(contract, maker)
    JOIN orders o ON o.seller = a.maker AND o.subject = $1 AND o.contract = a.contract AND o.status = 'LISTING'
  UNION SELECT o.collection, o.token_id::text, o.items FROM unnest($6::text[], $7::text[]) AS a(contract, maker)
    JOIN offers o ON o.bidder = a.maker AND o.subject = $1 AND o.contract = a.contract AND o.status = 'CREATED'`;

/** What an event itself says it is about. */
function itemsOf(event: MarketEvent): readonly Pick<TradeItem, 'collection' | 'tokenId'>[] {
  switch (event.name) {
    case 'OrderListed':
    case 'OfferCreated':
    case 'OrderFilled':
    case 'OfferAccepted':
    case 'OrderCancelled':
    case 'OfferCancelled':
      return event.data.items ?? [];
    case 'ExhibitChanged':
      return [event.data];
    default:
      return [];
  }
}
