import type { HandleTypes } from './handleFields';
import type { FieldPath } from './paths';
import type { TimeUnit } from './times';

/**
 * A value of a resource that the transaction wrote. The chain's events often leave out what the resource tells: when an offer expires,
 * how many tokens it is still for.
 */
export interface ResourcePath {
  /** Its type without type arguments; `module::Struct` is one of the marketplace's own package. */
  readonly resource: string;
  /** Where in the event the address of its account or object is. */
  readonly at: FieldPath;
  readonly path: FieldPath;
  /** What the value is when the transaction deleted the object. */
  readonly whenDeleted?: string;
}

/** Where a value is: in the event, or in what the transaction wrote. What a transaction did not write is not known. */
export type ValuePath = FieldPath | ResourcePath;

/** A moment. */
export interface TimePath {
  readonly value: ValuePath;
  readonly unit: TimeUnit;
  /** The value is a time to add to this moment. */
  readonly after?: { readonly value: ValuePath; readonly unit: TimeUnit };
}

/** A token of the first standard whose names stand in fields of their own. */
export interface V1NamePaths {
  readonly creator: FieldPath;
  readonly collection: FieldPath;
  readonly name: FieldPath;
  /** Absent: 0. */
  readonly version?: FieldPath;
}

/** Where the token is. Several of them: the first that the event has. */
export interface TokenPaths {
  /** The object of a token of the second standard. */
  readonly object?: FieldPath;
  /** Its collection's object; where the event has none, what the transaction wrote of the token tells. */
  readonly collection?: FieldPath;
  /** A `0x3::token::TokenId`, or the names of a token of the first standard. */
  readonly v1?: FieldPath | V1NamePaths;
  /** The token that reached this account last before the event (`0x3` deposits), where the event does not name it. */
  readonly receivedBy?: FieldPath;
}

/** Where the collection of an offer on any of its tokens is. */
export interface CollectionPaths {
  /** The object of a collection of the second standard. */
  readonly object?: FieldPath;
  /** The names of a collection of the first standard. */
  readonly v1?: { readonly creator: FieldPath; readonly collection: FieldPath };
}

/**
 * What an event means. `list`: also when it only changes the price, if it names the same order. `offer`, `cancel-offer` and
 * `accept-offer` are about a token, or about any token of a collection. `bid`: the highest by now on an auction, which its key names; `expiresAt` is
 * when that ends.
 */
export type Meaning =
  'list' | 'change-price' | 'delist' | 'buy' | 'bid' | 'offer' | 'cancel-offer' | 'accept-offer';

export interface EventDeclaration {
  readonly means: Meaning;
  /**
   * What names the order or offer in every event about it: fields, joined. `$token`, `$collection`, `$seller`, `$buyer` stand for
   * what the event's own paths give; `=word` for itself.
   */
  readonly key: readonly string[];
  readonly token?: TokenPaths;
  readonly collection?: CollectionPaths;
  readonly seller?: FieldPath;
  readonly buyer?: FieldPath;
  /** Of the whole order, or of one token: see `pricePer`. */
  readonly price?: ValuePath;
  /** @defaultValue 'order' */
  readonly pricePer?: 'order' | 'token';
  /** How many tokens. Absent: one. */
  readonly quantity?: ValuePath;
  /**
   * The coin's type or the asset's address; `$type-argument`: the event's own. Absent: native coin.
   */
  readonly currency?: FieldPath;
  /** What did not go to the seller: fields to add up; or `$deposits`: the price less what reached the seller since the sale before. */
  readonly fees?: readonly FieldPath[] | '$deposits';
  /** Which of the fees went to the creators. With `$deposits`: what did not reach `feeAccount`. */
  readonly royalties?: FieldPath;
  /** Who gets the marketplace's own fee, with `$deposits`. */
  readonly feeAccount?: string;
  /**
   * What is left of the order after a sale. A resource is as the whole transaction left it: what later events of the transaction took,
   * told by their `quantity`, is added.
   */
  readonly remaining?: ValuePath;
  readonly startsAt?: TimePath;
  /** Absent: never. */
  readonly expiresAt?: TimePath;
  /** A number that the market gives the order beside what names it. */
  readonly nonce?: FieldPath;
  /**
   * A sale ends the order, however much of it was left: always, or when this field is `true`; where it is `false`, the order stays open.
   * Absent: when it is used up.
   */
  readonly closes?: true | FieldPath;
  /** A listing is an auction where this field has this text: its price is where bids begin. Absent: none is. */
  readonly auction?: { readonly field: FieldPath; readonly is: string };
  /** Open listings of the same name stay open beside a new one. */
  readonly alongside?: true;
}

/** A marketplace told by its events' types and the places of their fields. Plain data. */
export interface MarketDeclaration {
  readonly name: string;
  /** The package's address by chain id; absent where it is always in the setting. */
  readonly packages?: Readonly<Record<number, string>>;
  /** By `module::Struct`. */
  readonly events: Readonly<Record<string, EventDeclaration>>;
  /**
   * Where the events' handles are. An event of the package of a type that nobody knows is taken for the one that its handle stands for.
   * Absent: events are known by their types alone.
   */
  readonly handles?: HandleTypes;
}
