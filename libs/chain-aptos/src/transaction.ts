/**
 * A value in an event, a resource or a table, as the chain's nodes write it in JSON: `u64`, `u128` and `u256` are decimal text,
 * `u8` to `u32` numbers, addresses text with or without leading zeros, `vector<u8>` hex text, an `Option` is `{ vec: [] }` or
 * `{ vec: [value] }`, an `Object<T>` is `{ inner: address }`.
 */
export type AptosValue = string | number | boolean | null | readonly AptosValue[] | AptosRecord;

/** The fields of a struct. */
export interface AptosRecord {
  readonly [field: string]: AptosValue;
}

/**
 * A transaction of the ledger, the same whichever source it was read from. What is seldom looked at is decoded when it is, once.
 */
export interface AptosTransaction {
  readonly version: bigint;
  /** Lower-case hex with `0x`. */
  readonly hash: string;
  /**
   * Root of the accumulator over all transactions up to this one: two ledgers that agree on it agree on everything before.
   * Lower-case hex with `0x`.
   */
  readonly accumulatorRootHash: string;
  /** Chain time in microseconds since 1970; 0 for the first transaction of a ledger. */
  readonly timestampUs: bigint;
  /** `false`: it took its gas, and nothing else that its events and changes say has happened. */
  readonly success: boolean;
  /** Canonical; `null` when no user sent it. */
  readonly sender: string | null;
  /** In the order in which they were emitted. */
  readonly events: readonly AptosEvent[];
  /**
   * What the ledger's state became by it. What a change holds is read when it is asked for.
   * @throws {AptosDecodeError} a change is none.
   */
  changes(): readonly AptosChange[];
}

/** An event of a transaction, of a handle or of a module. */
export interface AptosEvent {
  /** Place among the events of its transaction, from 0. */
  readonly index: number;
  /**
   * Its type, addresses in canonical form, type arguments included.
   * @example '0x0000…0003::token::DepositEvent'
   */
  readonly type: string;
  /** The account of its handle, canonical; address 0 for a module event. */
  readonly account: string;
  /** Which of the account's handles it is; 0 for a module event. */
  readonly creationNumber: bigint;
  /** Place among the events of its handle, from 0, dense; 0 for a module event. */
  readonly sequenceNumber: bigint;
  /**
   * Its fields.
   * @throws {AptosDecodeError} they cannot be read, or are no struct's.
   */
  readonly data: AptosRecord;
}

/** A resource of an account or object that was created or changed. */
export interface WrittenResource {
  readonly kind: 'written-resource';
  /** Canonical. */
  readonly address: string;
  /** Addresses in it canonical. */
  readonly type: string;
  /**
   * Its fields.
   * @throws {AptosDecodeError} they cannot be read.
   */
  readonly data: AptosRecord;
}

/** A resource that is no more. */
export interface DeletedResource {
  readonly kind: 'deleted-resource';
  readonly address: string;
  readonly type: string;
}

/** An item of a table that was created or changed. */
export interface WrittenTableItem {
  readonly kind: 'written-table-item';
  /** Which table, canonical. */
  readonly handle: string;
  /** @throws {AptosDecodeError} it cannot be read. */
  readonly key: AptosValue;
  readonly keyType: string;
  /** @throws {AptosDecodeError} it cannot be read. */
  readonly value: AptosValue;
  readonly valueType: string;
}

/** An item of a table that is no more. */
export interface DeletedTableItem {
  readonly kind: 'deleted-table-item';
  readonly handle: string;
  readonly key: AptosValue;
  readonly keyType: string;
}

/**
 * One change of the ledger's state. Modules that were published, and items of tables that the source could not decode, are left
 * out.
 */
export type AptosChange = WrittenResource | DeletedResource | WrittenTableItem | DeletedTableItem;
