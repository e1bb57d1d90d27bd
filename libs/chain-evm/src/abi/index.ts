/**
 * Decoders compiled from the ABI. Guarantees: equal to ethers' decoder on everything they accept, stricter than it about
 * malformed logs, bounded in time and memory on hostile ones, and fast enough not to be what limits ingest.
 */
export { EventDecodeError, EventSignatureError } from './errors';
export { compileEventDecoder, type EventDecoder } from './eventDecoder';
export type { SanitisedText } from './tail';
