/** A JSON-RPC node over recorded blocks, for tests and for looking at real data without a node. */
export type { Piece } from './chain';
export { RecordingError } from './recording';
export { MAINNET_GENESIS_HASH, startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from './replayRpc';
