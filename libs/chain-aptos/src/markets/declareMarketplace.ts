import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type TradeItem } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { AptosDecodeError } from '../errors';
import type { AptosMarket, EmitAptosMarketEvent } from '../market';
import { withoutTypeArguments } from '../structTag';
import type { AptosEvent, AptosTransaction, AptosValue } from '../transaction';
import { currencyAt, currencyOf, depositOf } from './coins';
import type { EventDeclaration, MarketDeclaration, TimePath, ValuePath } from './declaration';
import { handleFields } from './handleFields';
import type { AptosMarketplace } from './marketplace';
import { addressAt, mayBeMissing, toAddress, toQuantity, toText, valueAt, type FieldPath } from './paths';
import { expiryUs, microseconds, startUs } from './times';
import {
  itemOf,
  namesOfTokenId,
  tokenKey,
  v1CollectionId,
  v1Token,
  v2Token,
  type AptosToken,
} from './tokenIds';
import { lastReceived } from './received';
import { collectionOf, isDeletedAt, resourceAt } from './writeSet';

/** One event, read as its declaration says. */
interface Reading {
  readonly market: string;
  readonly packageAddress: string;
  readonly declared: EventDeclaration;
  readonly event: AptosEvent;
  readonly transaction: AptosTransaction;
  /** How the market declares an event; `undefined`: it is none of its. */
  readonly declarationOf: (event: AptosEvent) => EventDeclaration | undefined;
}

const ownType = (packageAddress: string, type: string): string =>
  /^0x/i.test(type) ? type : `${packageAddress}::${type}`;

/** `undefined`: not declared, missing though it may be, or not written by the transaction. */
function valueOf(reading: Reading, path: ValuePath | undefined): AptosValue | undefined {
  if (path === undefined) return undefined;
  const { event, transaction, packageAddress } = reading;
  if (typeof path === 'string') {
    const value = valueAt(event.data, path);
    if (value === undefined && !mayBeMissing(path)) throw new AptosDecodeError('there is none', path);
    return value;
  }
  const address = addressAt(event.data, path.at);
  const resource = resourceAt(transaction, address, ownType(packageAddress, path.resource));
  if (resource !== undefined) return valueAt(resource, path.path);
  return path.whenDeleted !== undefined && isDeletedAt(transaction, address) ? path.whenDeleted : undefined;
}

const shownPath = (path: ValuePath): string =>
  typeof path === 'string' ? path : `${path.resource} ${path.path}`;

function maybe<T>(
  reading: Reading,
  path: ValuePath | undefined,
  read: (value: AptosValue, shown: string) => T,
): T | null {
  const value = valueOf(reading, path);
  return value === undefined || path === undefined ? null : read(value, shownPath(path));
}

const accountOf = (reading: Reading, path: FieldPath | undefined): string | null =>
  maybe(reading, path, toAddress);

function demand<T>(value: T | null, what: string): T {
  if (value === null) throw new AptosDecodeError(`it does not say its ${what}`);
  return value;
}

function tokenOf(reading: Reading): AptosToken | null {
  const { event, transaction, declared } = reading;
  const { token } = declared;
  if (token === undefined) return null;
  const object = token.object === undefined ? undefined : valueAt(event.data, token.object);
  if (token.object !== undefined && object !== undefined) {
    const address = toAddress(object, token.object);
    const collection = token.collection === undefined ? undefined : valueAt(event.data, token.collection);
    return v2Token(
      address,
      collection === undefined ? collectionOf(transaction, address) : toAddress(collection, 'collection'),
    );
  }
  if (typeof token.v1 === 'string') {
    const id = valueAt(event.data, token.v1);
    if (id !== undefined) return v1Token(namesOfTokenId({ id }, 'id'));
  } else if (token.v1 !== undefined && valueAt(event.data, token.v1.creator) !== undefined) {
    const { creator, collection, name, version } = token.v1;
    return v1Token({
      creator: addressAt(event.data, creator),
      collection: toText(valueAt(event.data, collection), collection),
      name: toText(valueAt(event.data, name), name),
      version: maybe(reading, version, toQuantity) ?? 0n,
    });
  }
  if (token.receivedBy !== undefined) {
    return lastReceived(transaction, addressAt(event.data, token.receivedBy), event.index);
  }
  return null;
}

function collectionIdOf(reading: Reading): { id: string; standard: 'aptos-v1' | 'aptos-v2' } | null {
  const { collection } = reading.declared;
  const { data } = reading.event;
  if (collection?.object !== undefined) {
    const object = valueAt(data, collection.object);
    if (object !== undefined) return { id: toAddress(object, collection.object), standard: 'aptos-v2' };
  }
  if (collection?.v1 === undefined) return null;
  const { creator, collection: name } = collection.v1;
  return {
    id: v1CollectionId(addressAt(data, creator), toText(valueAt(data, name), name)),
    standard: 'aptos-v1',
  };
}

/** What the order gives or wants; `null`: the event does not say. */
function itemsOf(reading: Reading): readonly TradeItem[] | null {
  const { declared } = reading;
  const quantity = maybe(reading, declared.quantity, toQuantity) ?? 1n;
  const token = tokenOf(reading);
  if (token !== null) return [itemOf(token, quantity)];
  const collection = collectionIdOf(reading);
  if (collection === null) return null;
  return [{ collection: collection.id, tokenId: null, quantity, standard: collection.standard }];
}

function priceOf(reading: Reading, items: readonly TradeItem[] | null): bigint | null {
  const price = maybe(reading, reading.declared.price, toQuantity);
  if (price === null || reading.declared.pricePer !== 'token') return price;
  const whole = price * (items?.[0]?.quantity ?? 1n);
  if (whole >= 1n << 256n) throw new AptosDecodeError(`a price of ${whole} has more than 256 bits`, 'price');
  return whole;
}

function currencyOfEvent({ declared, event }: Reading): string {
  if (declared.currency === undefined) return ZERO_ADDRESS;
  if (declared.currency !== '$type-argument') {
    const value = valueAt(event.data, declared.currency);
    if (value === undefined && mayBeMissing(declared.currency)) return ZERO_ADDRESS;
    return currencyAt(value, declared.currency);
  }
  const begin = event.type.indexOf('<');
  if (begin === -1) throw new AptosDecodeError('its type has no argument', event.type);
  return currencyOf(event.type.slice(begin + 1, -1), 'type');
}

/** A moment in microseconds; `null`: not said, or none that a calendar holds. */
function momentOf(reading: Reading, time: TimePath | undefined, read: typeof expiryUs): bigint | null {
  if (time === undefined) return null;
  const value = maybe(reading, time.value, toQuantity);
  if (value === null) return null;
  const { after } = time;
  if (after === undefined) return read(value, time.unit);
  const since = maybe(reading, after.value, toQuantity);
  // No time at all is no limit.
  if (since === null || value === 0n) return null;
  return read(microseconds(since, after.unit) + microseconds(value, time.unit), 'us');
}

/** Whether a sale ends its order; `null`: when it is used up. */
function isAuction({ declared, event }: Reading): boolean {
  return (
    declared.auction !== undefined && valueAt(event.data, declared.auction.field) === declared.auction.is
  );
}

function closesOf({ declared, event }: Reading): boolean | null {
  if (declared.closes === undefined || declared.closes === true) return declared.closes ?? null;
  const said = valueAt(event.data, declared.closes);
  return typeof said === 'boolean' ? said : null;
}

/**
 * What later events of the same transaction took from the order that a resource belongs to; `ended`: it was cancelled with all that was
 * left of it. `null`: it cannot be told.
 */
function takenLater(reading: Reading, at: FieldPath): { quantity: bigint; ended: boolean } | null {
  const { event, transaction, declarationOf } = reading;
  const order = addressAt(event.data, at);
  let quantity = 0n;
  for (const later of transaction.events) {
    const declared = later.index > event.index ? declarationOf(later) : undefined;
    if (declared === undefined) continue;
    try {
      if (valueAt(later.data, at) === undefined || addressAt(later.data, at) !== order) continue;
      const took = maybe({ ...reading, declared, event: later }, declared.quantity, toQuantity);
      const isCancel = declared.means === 'cancel-offer' || declared.means === 'delist';
      if (!isCancel && declared.means !== 'accept-offer' && declared.means !== 'buy') return null;
      if (isCancel && took === null) return null;
      quantity += took ?? 1n;
      if (isCancel) return { quantity, ended: true };
    } catch (error) {
      // It is parked at its own place; this event can be read.
      if (error instanceof AptosDecodeError) return null;
      throw error;
    }
  }
  return { quantity, ended: false };
}

/**
 * What is left of the order after a sale; `null`: not told. Resources are as the whole transaction left them: what its later events took
 * was left after this one.
 */
function remainingOf(reading: Reading): bigint | null {
  const { remaining } = reading.declared;
  if (remaining === undefined || typeof remaining === 'string') return maybe(reading, remaining, toQuantity);
  const later = takenLater(reading, remaining.at);
  if (later === null || later.ended) return later?.quantity ?? null;
  const left = maybe(reading, remaining, toQuantity);
  return left === null ? null : left + later.quantity;
}

interface Money {
  readonly fees: bigint | null;
  readonly royalties?: bigint;
}

/** Types of the framework's own packages, 0x1 to 0xf. */
const FRAMEWORK = /^0x0{63}[1-9a-f]::/;

/**
 * What a sale's seller and the marketplace got, from the money that moved since any package but the framework said something before. `null`: nothing reached the seller, or
 * more than the price, so it is not known.
 */
function feesInDeposits(reading: Reading, price: bigint | null, seller: string | null): Money {
  const { transaction, event, declared } = reading;
  if (price === null || seller === null) return { fees: null };
  const before = transaction.events.findLast(
    ({ index, type }) => index < event.index && !FRAMEWORK.test(type),
  );
  let received: bigint | null = null;
  let kept = 0n;
  for (const other of transaction.events) {
    if (other.index <= (before?.index ?? -1) || other.index >= event.index) continue;
    const deposit = depositOf(other, transaction);
    if (deposit?.account === seller) received = (received ?? 0n) + deposit.amount;
    else if (deposit !== null && deposit.account === declared.feeAccount) kept += deposit.amount;
  }
  if (received === null || received > price) return { fees: null };
  const fees = price - received;
  return declared.feeAccount === undefined || kept > fees ? { fees } : { fees, royalties: fees - kept };
}

function moneyOf(reading: Reading, price: bigint | null, seller: string | null): Money {
  const { fees, royalties } = reading.declared;
  if (fees === '$deposits') return feesInDeposits(reading, price, seller);
  if (fees === undefined) return { fees: null };
  const parts = fees.map((path) => maybe(reading, path, toQuantity));
  const sum = parts.includes(null) ? null : (parts as bigint[]).reduce((a, b) => a + b, 0n);
  const creators = maybe(reading, royalties, toQuantity);
  return { fees: sum, ...(creators === null ? {} : { royalties: creators }) };
}

function keyOf(reading: Reading, items: readonly TradeItem[] | null): string {
  const { declared, event } = reading;
  const [item] = items ?? [];
  const part = (name: string): string => {
    switch (name) {
      case '$token':
        if (item === undefined || item.tokenId === null)
          throw new AptosDecodeError('it does not say its token');
        return tokenKey(item.tokenId);
      case '$collection':
        return demand(item?.collection ?? null, 'collection');
      case '$seller':
        return demand(accountOf(reading, declared.seller), 'seller');
      case '$buyer':
        return demand(accountOf(reading, declared.buyer), 'buyer');
    }
    if (name.startsWith('=')) return name.slice(1);
    const value = valueAt(event.data, name);
    // An address in whatever form it comes, or a number of the market's own.
    if (typeof value !== 'string' || value.startsWith('0x')) return toAddress(value, name);
    return value;
  };
  return declared.key.map(part).join(':');
}

function emitEvent(reading: Reading, emit: EmitAptosMarketEvent): void {
  const { market, declared } = reading;
  const isListing = ['list', 'change-price', 'delist', 'buy'].includes(declared.means);
  const side = isListing ? 'listing' : 'offer';
  const type = isListing ? AGGREGATE.order : AGGREGATE.offer;
  const items = itemsOf(reading);
  const id = `${reading.packageAddress}:${keyOf(reading, items)}`;
  const seller = accountOf(reading, declared.seller);
  const buyer = accountOf(reading, declared.buyer);
  const maker = isListing ? seller : buyer;
  const price = priceOf(reading, items);
  const expiresAtUs = momentOf(reading, declared.expiresAt, expiryUs);
  const nonce = maybe(reading, declared.nonce, toQuantity);
  switch (declared.means) {
    case 'list':
    case 'offer':
      emit(type, id, isListing ? 'OrderListed' : 'OfferCreated', {
        ...PLAIN_OPENED,
        ...(isAuction(reading) ? { kind: 'auction' } : {}),
        market,
        side,
        maker: demand(maker, isListing ? 'seller' : 'buyer'),
        items: demand(items, 'token'),
        price,
        currency: currencyOfEvent(reading),
        startsAtUs: momentOf(reading, declared.startsAt, startUs),
        expiresAtUs,
        nonce,
        escrow: isListing,
        ...(declared.alongside === true ? { alongside: true } : {}),
      });
      return;
    case 'bid':
      // The one before it ends with it, as another's under the same name; the last one when the auction does.
      emit(AGGREGATE.offer, id, 'OfferCreated', {
        ...PLAIN_OPENED,
        kind: 'auction',
        market,
        side: 'offer',
        maker: demand(buyer, 'buyer'),
        items: demand(items, 'token'),
        price,
        currency: currencyOfEvent(reading),
        expiresAtUs,
      });
      emit(AGGREGATE.order, id, 'OrderPriceChanged', { market, price: null, expiresAtUs });
      return;
    case 'change-price':
      emit(type, id, 'OrderPriceChanged', { market, price, expiresAtUs });
      return;
    case 'delist':
    case 'cancel-offer':
      emit(type, id, isListing ? 'OrderCancelled' : 'OfferCancelled', {
        ...PLAIN_CANCELLED,
        market,
        side,
        maker,
        items,
        ...(price === null ? {} : { price, currency: currencyOfEvent(reading) }),
      });
      return;
    case 'buy':
    case 'accept-offer': {
      const remaining = remainingOf(reading);
      emit(type, id, isListing ? 'OrderFilled' : 'OfferAccepted', {
        ...PLAIN_SALE,
        market,
        side,
        seller,
        buyer,
        items,
        price,
        currency: price === null ? null : currencyOfEvent(reading),
        closes: closesOf(reading),
        ...moneyOf(reading, price, seller),
        ...(remaining === null ? {} : { remaining }),
      });
    }
  }
}

/** A marketplace whose every event means one thing, told by data alone. */
export function declareMarketplace(declaration: MarketDeclaration): AptosMarketplace {
  const { name, packages = {}, events, handles = {} } = declaration;
  return {
    name,
    packageOn(chainId) {
      const address = packages[chainId];
      return address === undefined ? null : canonicalAddress(address);
    },
    at(address): AptosMarket {
      const packageAddress = canonicalAddress(address);
      const byType = new Map(
        Object.entries(events).map(([type, declared]) => [ownType(packageAddress, type), declared]),
      );
      const declarationOf = ({ type }: AptosEvent) => byType.get(withoutTypeArguments(type));
      return {
        name,
        eventTypes: [...byType.keys()],
        packageAddress,
        handles: handleFields(packageAddress, handles),
        translate(event, transaction, emit) {
          const declared = declarationOf(event);
          if (declared === undefined) return;
          emitEvent({ market: name, packageAddress, declared, event, transaction, declarationOf }, emit);
        },
      };
    },
  };
}
