/**
 * Aptos as a Subject. Guarantees: events come in the order of the ledger, none of its versions is left out; an address has one
 * form; what cannot be decoded has its place in the order.
 */
export { canonicalAddress, NO_ACCOUNT } from './address';
export { AptosDecodeError } from './errors';
export type { AptosMarket, EmitAptosMarketEvent } from './market';
export { readProtoJsonTransaction } from './read/protoJsonTransaction';
export { readRestPage, readRestTransaction } from './read/restTransaction';
export { readWireResponse, readWireTransaction, type WireResponse } from './read/wireTransaction';
export { canonicalStructTag, withoutTypeArguments } from './structTag';
export type {
  AptosChange,
  AptosEvent,
  AptosRecord,
  AptosTransaction,
  AptosValue,
  DeletedResource,
  DeletedTableItem,
  WrittenResource,
  WrittenTableItem,
} from './transaction';
