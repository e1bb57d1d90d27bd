import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';
import type { AptosChange } from '../transaction';
import { TextEvent, type ReadTransaction } from './readEvent';
import { canonicalTypeName } from './typeNames';
import { LaterResource, LaterTableItem } from './readChange';
import { parseJson, readU64, readValue } from './values';

type Json = Readonly<Record<string, unknown>>;

/** Proto3 JSON leaves out what is zero: an absent object is an empty one. */
function objectAt(value: unknown, path: string): Json {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new AptosDecodeError('no object', path);
  return value as Json;
}
const listAt = (value: unknown, path: string): readonly Json[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new AptosDecodeError('no list', path);
  return value.map((item, i) => objectAt(item, `${path}[${i}]`));
};
function textAt(value: unknown, path: string): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new AptosDecodeError('no text', path);
  return value;
}
const u64At = (value: unknown, path: string): bigint => (value === undefined ? 0n : readU64(value, path));
const hexAt = (value: unknown, path: string): string => {
  const text = textAt(value, path);
  return text === '' ? '' : `0x${Buffer.from(text, 'base64').toString('hex')}`;
};

const PAYLOADS = ['user', 'blockMetadata', 'genesis', 'validator'] as const;

function readTableItem(item: Json, path: string): { handle: string; texts: Record<string, string> | null } {
  const data = item['data'];
  return {
    handle: canonicalAddress(textAt(item['handle'], `${path}.handle`)),
    texts:
      data === undefined || data === null ? null : (objectAt(data, `${path}.data`) as Record<string, string>),
  };
}

function readChange(change: Json, i: number): AptosChange | null {
  const path = `changes[${i}]`;
  const value = (text: string | undefined, part: string): ReturnType<typeof readValue> =>
    readValue(parseJson(text ?? '', `${path}.${part}`), `${path}.${part}`);
  if (change['writeResource'] !== undefined) {
    const resource = objectAt(change['writeResource'], path);
    return new LaterResource(
      canonicalAddress(textAt(resource['address'], `${path}.address`)),
      canonicalTypeName(textAt(resource['typeStr'], `${path}.typeStr`)),
      path,
      () => parseJson(textAt(resource['data'], `${path}.data`), `${path}.data`),
    );
  }
  if (change['deleteResource'] !== undefined) {
    const resource = objectAt(change['deleteResource'], path);
    return {
      kind: 'deleted-resource',
      address: canonicalAddress(textAt(resource['address'], `${path}.address`)),
      type: canonicalTypeName(textAt(resource['typeStr'], `${path}.typeStr`)),
    };
  }
  if (change['writeTableItem'] !== undefined) {
    const { handle, texts } = readTableItem(objectAt(change['writeTableItem'], path), path);
    if (texts?.['keyType'] === undefined || texts['valueType'] === undefined) return null;
    return new LaterTableItem(
      handle,
      canonicalTypeName(texts['keyType']),
      canonicalTypeName(texts['valueType']),
      path,
      () => parseJson(texts['key'] ?? '', `${path}.key`),
      () => parseJson(texts['value'] ?? '', `${path}.value`),
    );
  }
  if (change['deleteTableItem'] !== undefined) {
    const { handle, texts } = readTableItem(objectAt(change['deleteTableItem'], path), path);
    if (texts?.['keyType'] === undefined) return null;
    return {
      kind: 'deleted-table-item',
      handle,
      key: value(texts['key'], 'key'),
      keyType: canonicalTypeName(texts['keyType']),
    };
  }
  return null;
}

/**
 * Reads one `aptos.transaction.v1.Transaction` in the JSON form of protobuf, parsed: the form of recordings.
 * @throws {AptosDecodeError} it is none.
 */
export function readProtoJsonTransaction(json: unknown): ReadTransaction {
  const transaction = objectAt(json, 'transaction');
  if (transaction['info'] === undefined) throw new AptosDecodeError('there is none', 'info');
  const info = objectAt(transaction['info'], 'info');
  const timestamp = objectAt(transaction['timestamp'], 'timestamp');
  const kind = PAYLOADS.find((name) => transaction[name] !== undefined);
  const payload = kind === undefined ? {} : objectAt(transaction[kind], kind);
  let changes: readonly AptosChange[] | undefined;
  return {
    version: u64At(transaction['version'], 'version'),
    hash: hexAt(info['hash'], 'info.hash'),
    accumulatorRootHash: hexAt(info['accumulatorRootHash'], 'info.accumulatorRootHash'),
    timestampUs:
      u64At(timestamp['seconds'], 'timestamp.seconds') * 1_000_000n +
      BigInt(Math.floor(Number(timestamp['nanos'] ?? 0) / 1_000)),
    success: info['success'] === true,
    sender:
      kind === 'user'
        ? canonicalAddress(textAt(objectAt(payload['request'], 'request')['sender'], 'sender'))
        : null,
    events: listAt(payload['events'], 'events').map((event, i) => {
      const key = objectAt(event['key'], `events[${i}].key`);
      return new TextEvent(
        i,
        canonicalTypeName(textAt(event['typeStr'], `events[${i}].typeStr`)),
        textAt(key['accountAddress'], `events[${i}].key`),
        u64At(key['creationNumber'], `events[${i}].key`),
        u64At(event['sequenceNumber'], `events[${i}].sequenceNumber`),
        textAt(event['data'], `events[${i}].data`),
      );
    }),
    changes: () =>
      (changes ??= listAt(info['changes'], 'changes')
        .map(readChange)
        .filter((change) => change !== null)),
  };
}
