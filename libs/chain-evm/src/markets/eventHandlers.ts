import { compileEventDecoder } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, MarketTransaction } from '../marketplace';

/** What a marketplace does with one of its events. */
export interface EventHandler {
  readonly topic0: string;
  handle(log: EvmLog, emit: EmitMarketEvent, transaction: MarketTransaction): void;
}

/**
 * A handler of the event with this signature. `Values` is what its parameters are known to be (see `EventDecoder`).
 * @throws {EventSignatureError} when the signature cannot be compiled.
 */
export function on<Values extends object>(
  signature: string,
  handle: (event: Values, log: EvmLog, emit: EmitMarketEvent, transaction: MarketTransaction) => void,
): EventHandler {
  const decoder = compileEventDecoder<Values>(signature);
  return {
    topic0: decoder.topic0,
    handle: (log, emit, transaction) => handle(decoder.decode(log.topics, log.data), log, emit, transaction),
  };
}

/** The `topics` and `translate` of a marketplace whose every log is handled by itself. */
export function translateEach(handlers: readonly EventHandler[]): {
  readonly topics: readonly string[];
  translate(transaction: MarketTransaction, emit: EmitMarketEvent): void;
} {
  const byTopic = new Map(handlers.map((handler) => [handler.topic0, handler]));
  return {
    topics: [...byTopic.keys()],
    translate(transaction, emit) {
      for (const log of transaction.logs) byTopic.get(log.topics[0] ?? '')?.handle(log, emit, transaction);
    },
  };
}
