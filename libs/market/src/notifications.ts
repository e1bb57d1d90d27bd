import type { Event, SeqNo } from '@imart/core';
import { splitContractId } from './aggregates';
import type { MarketEvent, MarketEventData, MarketEventName, TradeItem } from './events';

/** What accounts are told of. The names are stored, and part of what a receiver knows a notification by. */
export const NOTIFICATION_KINDS = [
  'MarketOrderFilled',
  'MarketOfferReceived',
  'MarketOfferAccepted',
  'CurationOfferReceived',
  'CurationOfferAccepted',
  'CurationOfferRejected',
  'CurationExhibitSold',
] as const;

export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** One sentence for each kind, for whoever shows it to people. */
export const NOTIFICATION_TITLES: Readonly<Record<NotificationKind, string>> = {
  MarketOrderFilled: 'Your order has been filled',
  MarketOfferReceived: 'You have received an offer',
  MarketOfferAccepted: 'Your offer has been accepted',
  CurationOfferReceived: 'You have received an offer',
  CurationOfferAccepted: 'Your offer has been accepted',
  CurationOfferRejected: 'Your offer has been rejected',
  CurationExhibitSold: 'Your exhibit has been sold',
};

const TOLD_NAMES = [
  'OrderListed',
  'OrderFilled',
  'OfferCreated',
  'OfferAccepted',
  'CurationOfferChanged',
  'ExhibitChanged',
] as const satisfies readonly MarketEventName[];

/** An event that somebody may be told of. */
export type ToldEvent = MarketEvent<(typeof TOLD_NAMES)[number]>;

const toldNames: ReadonlySet<string> = new Set(TOLD_NAMES);

export const isTold = (event: Event): event is ToldEvent => toldNames.has(event.name);

/** What one account is told of one event. (subject, `seqNo`, `kind`, `receiver`) names it. */
export interface Notification {
  readonly seqNo: SeqNo;
  readonly kind: NotificationKind;
  readonly receiver: string;
  /** Who made it happen: the buyer, the bidder, who answered. `null`: not known. */
  readonly actor: string | null;
  readonly market: string;
  readonly contract: string;
  /** Of the order, offer or exhibit in its contract. */
  readonly orderId: string;
  /** Of the first item. */
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly quantity: bigint | null;
  readonly itemCount: number;
  /** Of the whole trade or offer, in the currency's smallest unit. */
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly txHash: string;
  /** Chain time in microseconds since 1970. */
  readonly timeUs: bigint;
}

/** What the tables say of an event, where the event alone does not tell. */
export interface ToldFacts {
  /** The activities that it caused, by item. */
  readonly activities: readonly ToldActivity[];
  /** The row of its order, offer, curation offer or exhibit; `null`: there is none. */
  readonly row: ToldRow | null;
  /** Of an offer: who has the offered tokens, as of the event. */
  readonly owners: readonly string[];
}

export interface ToldActivity {
  readonly kind: string;
  readonly side: string | null;
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly quantity: bigint | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: bigint | null;
  readonly currency: string | null;
}

export interface ToldRow {
  /** Who made the order or offer; of a curation offer who asks; of an exhibit whose token it is. */
  readonly maker: string | null;
  /** Of a curation offer whose token it is, of an exhibit its curator. */
  readonly other: string | null;
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly price: bigint | null;
  readonly currency: string | null;
}

type Terms = Pick<Notification, 'collection' | 'tokenId' | 'quantity' | 'itemCount' | 'price' | 'currency'>;

/**
 * Who is told what of an event. The seller of a listing when it is filled, the bidder when an offer is accepted, the owners of a token when
 * it gets an offer; of a curation offer its receiver when it is made and its maker when it is answered; of a sold exhibit whose token it
 * was and its curator. Nobody is told of what they did themselves, of an offer on a whole collection, or of a cancellation.
 */
export function notificationsOf(event: ToldEvent, facts: ToldFacts): readonly Notification[] {
  switch (event.name) {
    case 'CurationOfferChanged':
      return ofCurationOffer(event, event.data, facts);
    case 'ExhibitChanged':
      return ofExhibit(event, event.data, facts);
    default:
      return ofTrade(event, facts);
  }
}

function ofTrade(event: ToldEvent, facts: ToldFacts): readonly Notification[] {
  const [first] = facts.activities;
  if (first === undefined) return ofListingHalf(event, facts);
  const terms = { ...first, itemCount: facts.activities.length };
  if (first.kind === 'OFFER') {
    return told(event, 'MarketOfferReceived', facts.owners, first.from, terms);
  }
  // An order may end another one as it opens: the sale is not always the first.
  const sale = facts.activities.find(({ kind }) => kind === 'SALE');
  if (sale === undefined) return [];
  const sold = { ...sale, itemCount: facts.activities.filter(({ kind }) => kind === 'SALE').length };
  return sale.side === 'offer'
    ? told(event, 'MarketOfferAccepted', [sale.to], sale.from, sold)
    : told(event, 'MarketOrderFilled', [sale.from], sale.to, sold);
}

/** The listing half of a matched trade: the sale is the offer half's, but its seller's order was filled all the same. */
function ofListingHalf(event: ToldEvent, { row }: ToldFacts): readonly Notification[] {
  if (event.name !== 'OrderFilled' || event.data.isSale || event.data.side === 'offer') return [];
  const { seller, buyer, items, price, currency } = event.data;
  const item = items?.[0];
  return told(event, 'MarketOrderFilled', [seller ?? row?.maker ?? null], buyer, {
    collection: item?.collection ?? row?.collection ?? null,
    tokenId: item?.tokenId ?? row?.tokenId ?? null,
    quantity: item?.quantity ?? null,
    itemCount: Math.max(items?.length ?? 1, 1),
    price: price ?? row?.price ?? null,
    currency: currency ?? row?.currency ?? null,
  });
}

function ofCurationOffer(
  event: ToldEvent,
  data: MarketEventData['CurationOfferChanged'],
  { row }: ToldFacts,
): readonly Notification[] {
  const asks = data.from ?? row?.maker ?? null;
  const owner = data.to ?? row?.other ?? null;
  const terms = curated(data, row);
  switch (data.status) {
    case 'pending':
      return told(event, 'CurationOfferReceived', [owner], asks, terms);
    case 'accepted':
      return told(event, 'CurationOfferAccepted', [asks], owner, terms);
    case 'rejected':
      return told(event, 'CurationOfferRejected', [asks], owner, terms);
    case 'canceled':
      return [];
  }
}

function ofExhibit(
  event: ToldEvent,
  data: MarketEventData['ExhibitChanged'],
  { activities, row }: ToldFacts,
): readonly Notification[] {
  // That it is sold may be said twice; the activity is there once.
  if (!activities.some(({ kind }) => kind === 'SALE')) return [];
  const receivers = [data.origin ?? row?.maker ?? null, data.curator ?? row?.other ?? null];
  return told(event, 'CurationExhibitSold', receivers, data.owner, curated(data, row));
}

function curated(
  data: Pick<MarketEventData['ExhibitChanged'], 'collection' | 'tokenId' | 'price' | 'currency'>,
  row: ToldRow | null,
): Terms {
  return {
    collection: data.collection ?? row?.collection ?? null,
    tokenId: data.tokenId ?? row?.tokenId ?? null,
    quantity: 1n,
    itemCount: 1,
    price: data.price ?? row?.price ?? null,
    currency: data.currency ?? row?.currency ?? null,
  };
}

const NOBODY = /^0x0+$/;

function told(
  event: ToldEvent,
  kind: NotificationKind,
  receivers: readonly (string | null)[],
  actor: string | null,
  { collection, tokenId, quantity, itemCount, price, currency }: Terms,
): readonly Notification[] {
  const { contract, id: orderId } = splitContractId(event.aggregateId);
  const others = receivers.filter(
    (receiver) => receiver !== null && receiver !== actor && !NOBODY.test(receiver),
  ) as string[];
  return [...new Set(others)].map((receiver) => ({
    seqNo: event.seqNo,
    kind,
    receiver,
    actor,
    market: event.data.market,
    contract,
    orderId,
    collection,
    tokenId,
    quantity,
    itemCount,
    price,
    currency,
    txHash: event.source.txHash,
    timeUs: event.source.timeUs,
  }));
}

/** The tokens that an event names as offered for: of these the owners are to be known. */
export function offeredTokens(event: ToldEvent): readonly TradeItem[] {
  if (event.name !== 'OfferCreated' && event.name !== 'OrderListed') return [];
  if (event.name === 'OrderListed' && event.data.side !== 'offer') return [];
  return event.data.items.filter(({ collection, tokenId }) => collection !== null && tokenId !== null);
}
