/**
 * Aptos as a Subject. Guarantees: events come in the order of the ledger, none of its versions is left out; an address has one
 * form; what cannot be decoded has its place in the order.
 */
export { canonicalAddress, NO_ACCOUNT } from './address';
export { createAptosSubject, type AptosSubject } from './createAptosSubject';
export {
  AptosDecodeError,
  GenesisUnavailableError,
  HandlesChangedError,
  LedgerReplacedError,
  MixedSourcesError,
  NetworkRestartedError,
  ResumePointError,
  VersionGapError,
  WrongGenesisError,
} from './errors';
export type { AptosMarket, EmitAptosMarketEvent } from './market';
export {
  aptosMarketplaces,
  declareMarketplace,
  findAptosMarketplace,
  loadAptosMarketplace,
  MarketFileError,
  objectOf,
  splitV1TokenId,
  v1CollectionId,
  v1Token,
  v2Token,
  type AptosMarketplace,
  type AptosToken,
  type CollectionPaths,
  type EventDeclaration,
  type FieldPath,
  type MarketDeclaration,
  type Meaning,
  type ResourcePath,
  type TimePath,
  type TimeUnit,
  type TokenPaths,
  type V1NamePaths,
  type V1Names,
  type ValuePath,
} from './markets';
export { readProtoJsonTransaction } from './read/protoJsonTransaction';
export { readRestPage, readRestTransaction } from './read/restTransaction';
export { readWireResponse, readWireTransaction, type WireResponse } from './read/wireTransaction';
export { APTOS_SEQ_NO_LAYOUT, aptosSeqNo, aptosSubjects } from './seqNo';
export { aptosChainSettings } from './setup/aptosSettings';
export {
  aptosSettingProblems,
  followedAptosMarkets,
  followedAptosText,
  type FollowedAptosMarket,
} from './setup/followedMarkets';
export { aptosMarketSettings, type AptosMarketEntry } from './setup/marketSetting';
export { openLedger, type Ledger, type LedgerConfig } from './setup/openLedger';
export type { RegisteredLedger } from './setup/refusedBeside';
export type { EventHandle } from './source/handleEvents';
export { APTOS_HANDLE_DEFAULTS, createHandleSource, type HandleSourceOptions } from './source/handleSource';
export type { LedgerEndpointStats, LedgerSource } from './source/ledgerSource';
export { APTOS_REST_DEFAULTS, createRestSource, type RestSourceOptions } from './source/restSource';
export { APTOS_STREAM_DEFAULTS, createStreamSource, type StreamSourceOptions } from './source/streamSource';
export { VersionNotServedError } from './source/versionNotServedError';
export { canonicalStructTag, withoutTypeArguments } from './structTag';
export {
  APTOS_SUBJECT_DEFAULTS,
  aptosSubjectId,
  type AptosSubjectOptions,
  type AptosSubjectStats,
} from './subject/options';
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
