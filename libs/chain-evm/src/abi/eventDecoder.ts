import { EventFragment } from 'ethers';
import { EventDecodeError, EventSignatureError, MalformedEncoding } from './errors';
import { generateRead } from './generate';
import type { SanitisedText } from './tail';

/** A decoder of one event, compiled once and used for every log. Holds no state between calls. */
export interface EventDecoder<Values extends object = Record<string, unknown>> {
  /** `Transfer`. */
  readonly name: string;
  /** keccak256 of the signature, lower-case 0x hex. */
  readonly topic0: string;
  /** How many topics a log of this event has, topic0 included: tells events that share topic0 apart (D6). */
  readonly topicCount: number;
  /** Canonical: `Transfer(address,address,uint256)`. */
  readonly signature: string;
  /**
   * The values by parameter name (an unnamed one by its position): addresses, `bytes` and `bytesN` as lower-case
   * 0x hex, every integer as `bigint`, tuples as objects, arrays as arrays, an indexed value that is hashed as its
   * topic. Strings have NUL and invalid UTF-8 replaced by U+FFFD (D1); the bytes of each string so changed are
   * pushed to `sanitised` when that is given.
   *
   * What it accepts, ethers accepts with the same values, except such strings, on which ethers throws. It is
   * stricter than ethers about bits outside a type's width (of `uintN`, `intN`, `bool`, `bytesN`), the number of
   * topics, and data read more than 16 times over. Bytes that nothing points at (padding, what follows the last
   * value) are allowed and not looked at, so digits there that are no hex, on which ethers throws, go unnoticed.
   *
   * @throws {EventDecodeError} the log is no valid encoding; never anything else. Time and memory are bounded by a
   * multiple of the data's length.
   */
  decode(topics: readonly string[], data: string, sanitised?: SanitisedText[]): Values;
}

/**
 * Compiles an event of the ABI, given in ethers' human-readable form (the word `event` may be left out) or as a
 * fragment. `Values` is what the caller knows the result to be; it is not checked against the signature.
 *
 * @throws {EventSignatureError} not parseable, anonymous, or with a type or names that cannot be decoded by name.
 * @example
 * const sold = compileEventDecoder<{ orderId: bigint; buyer: string; price: bigint }>(
 *   'Sold(uint256 indexed orderId, address indexed buyer, uint256 price)',
 * );
 * if (log.topics[0] === sold.topic0 && log.topics.length === sold.topicCount) sold.decode(log.topics, log.data).price;
 */
export function compileEventDecoder<Values extends object = Record<string, unknown>>(
  signature: string | EventFragment,
): EventDecoder<Values> {
  const fragment = parse(signature);
  const canonical = fragment.format('sighash');
  if (fragment.anonymous)
    throw new EventSignatureError(canonical, 'it is anonymous, so its logs cannot be told apart');
  let read: ReturnType<typeof generateRead>;
  try {
    read = generateRead(fragment.inputs);
  } catch (error) {
    throw new EventSignatureError(canonical, error instanceof Error ? error.message : String(error), error);
  }
  const { name, topicHash: topic0 } = fragment;
  const topicCount = 1 + fragment.inputs.filter((input) => input.indexed === true).length;

  function refuse(error: unknown): never {
    if (!(error instanceof MalformedEncoding)) throw error;
    throw new EventDecodeError({ event: name, topic0, reason: error.reason, path: error.path });
  }

  function refuseTopics(topics: readonly string[]): never {
    const reason =
      topics.length === topicCount
        ? `topic0 is ${String(topics[0]).slice(0, 80)}, not ${topic0}`
        : `it has ${topics.length} topics, not ${topicCount}`;
    throw new EventDecodeError({ event: name, topic0, reason });
  }

  return {
    name,
    topic0,
    topicCount,
    signature: canonical,
    decode(topics, data, sanitised) {
      if (topics.length !== topicCount || (topics[0] !== topic0 && topics[0]?.toLowerCase() !== topic0)) {
        refuseTopics(topics);
      }
      try {
        return read(topics, data, sanitised) as Values;
      } catch (error) {
        return refuse(error);
      }
    },
  };
}

function parse(signature: string | EventFragment): EventFragment {
  if (typeof signature !== 'string') return signature;
  try {
    return EventFragment.from(/^\s*event\s/.test(signature) ? signature : `event ${signature}`);
  } catch (error) {
    throw new EventSignatureError(signature, 'it does not parse', error);
  }
}
