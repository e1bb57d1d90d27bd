/**
 * EVM chains as Subjects. Guarantees: events come in the order of the chain, each range complete and contiguous to the one
 * before by parent hash; an answer that contradicts itself is never used; what cannot be decoded has its place in the
 * order; no URL of an endpoint is ever logged.
 */
export * from './abi';
export * from './markets';
export { createEvmSubject, type EvmSubject } from './createEvmSubject';
export { detectChainId, type DetectChainIdOptions } from './detectChainId';
export { GenesisUnavailableError, ResumePointError, WrongGenesisError } from './errors';
export type { FollowedMarketplace } from './follow';
export type { EvmBlock, EvmLog, EvmReceipt } from './log';
export type {
  DiscoveredCollection,
  EmitMarketEvent,
  EvmChainFacts,
  Marketplace,
  MarketplaceContract,
  MarketTransaction,
} from './marketplace';
export { ADAPTIVE_RANGE_DEFAULTS, type AdaptiveRangeOptions } from './ranges/adaptiveRange';
export { RPC_ENDPOINT_DEFAULTS, type RpcEndpointStats } from './rpc/endpoint';
export {
  BlockNotServedError,
  RpcAnswerRefusedError,
  RpcBatchLimitError,
  RpcError,
  RpcInconsistentError,
  RpcMethodUnsupportedError,
  RpcPrunedError,
  RpcRangeLimitError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  WrongChainError,
  type RangeHint,
} from './rpc/errors';
export { endpointLabel, RPC_RETRY } from '@imart/endpoints';
export { EVM_SEQ_NO_LAYOUT, evmSeqNo, evmSubjects } from './seqNo';
export { chainSettingProblems, evmChainSettings } from './setup/chainSettings';
export { followedAdded, followedOn, followedText } from './setup/followed';
export {
  collectionsSetting,
  marketEntry,
  type CollectionsSetting,
  type MarketEntry,
} from './setup/marketSetting';
export { openChain, type Chain, type ChainConfig } from './setup/openChain';
export { createAuditReader, type AuditReader, type AuditReaderOptions } from './subject/auditReader';
export {
  EVM_SUBJECT_DEFAULTS,
  evmSubjectId,
  type EvmSubjectOptions,
  type EvmSubjectStats,
} from './subject/options';
export { REORG_LIMITS, type ReorgLimits } from './subject/reorg';
export { StrayEventError } from './translate';
export { wrappedNativeOf } from './wrappedNative';
