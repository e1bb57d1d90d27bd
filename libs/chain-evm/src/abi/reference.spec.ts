import { EventFragment, Interface, type ParamType } from 'ethers';
import { keyOf } from './generate';

/** A log as far as its ABI goes. */
export interface EncodedLog {
  readonly topics: readonly string[];
  readonly data: string;
}

/**
 * What ethers' own decoder says a log holds, in the form ours gives it. Strings are read as `bytes` and then made
 * text here, because ethers throws where our decoder replaces (D1). Throws whatever ethers throws; ethers defers many
 * errors until the value is touched, and all are touched here.
 */
export function decodeByEthers(fragment: EventFragment, log: EncodedLog): Record<string, unknown> {
  const asBytes = EventFragment.from(fragment.format('full').replace(/\bstring(?=[\s[,)])/g, 'bytes'));
  const topics = [asBytes.topicHash, ...log.topics.slice(1)];
  if (log.topics[0] !== fragment.topicHash) throw new Error('topic0 is of another event');
  const result = new Interface([asBytes]).decodeEventLog(asBytes, log.data, topics);
  return Object.fromEntries(
    fragment.inputs.map((input, i) => {
      const value: unknown = result[i];
      const hash = input.indexed === true ? (value as { hash?: string }).hash : undefined;
      return [keyOf(input, i), hash ?? toOurs(input, value)];
    }),
  );
}

function toOurs(type: ParamType, value: unknown): unknown {
  if (type.isArray()) return Array.from(value as ArrayLike<unknown>, (v) => toOurs(type.arrayChildren, v));
  if (type.isTuple()) {
    return Object.fromEntries(
      type.components.map((component, i) => [
        keyOf(component, i),
        toOurs(component, (value as readonly unknown[])[i]),
      ]),
    );
  }
  if (type.type === 'string') {
    return Buffer.from((value as string).slice(2), 'hex')
      .toString('utf8')
      .replaceAll('\0', '\uFFFD');
  }
  return typeof value === 'string' ? value.toLowerCase() : value;
}
