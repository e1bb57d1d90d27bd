import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';
import type { AptosChange, AptosEvent, AptosRecord } from '../transaction';
import { LaterResource, LaterTableItem } from './readChange';
import type { ReadTransaction, WithRawData } from './readEvent';
import { canonicalTypeName } from './typeNames';
import { readRecord, readU64, readValue, stableJson } from './values';

type Json = Readonly<Record<string, unknown>>;

function objectAt(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AptosDecodeError('no object', path);
  return value as Json;
}

function textAt(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new AptosDecodeError('no text', path);
  return value;
}

function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new AptosDecodeError('no list', path);
  return value as unknown[];
}

class RestEvent implements AptosEvent, WithRawData {
  readonly type: string;
  private fields: AptosRecord | undefined;

  constructor(
    readonly index: number,
    private readonly json: Json,
  ) {
    this.type = canonicalTypeName(textAt(json['type'], 'type'));
  }

  private get guid(): Json {
    return objectAt(this.json['guid'], 'guid');
  }
  get account(): string {
    return canonicalAddress(textAt(this.guid['account_address'], 'guid.account_address'));
  }
  get creationNumber(): bigint {
    return readU64(this.guid['creation_number'], 'guid.creation_number');
  }
  get sequenceNumber(): bigint {
    return readU64(this.json['sequence_number'], 'sequence_number');
  }
  get data(): AptosRecord {
    return (this.fields ??= readRecord(this.json['data'], 'data'));
  }
  rawData(): string {
    return stableJson(this.json['data']) ?? 'null';
  }
}

/** What a table's item holds; `null` when the node did not decode it. */
function tableData(change: Json): Json | null {
  const data = change['data'];
  return typeof data === 'object' && data !== null && typeof (data as Json)['key_type'] === 'string'
    ? (data as Json)
    : null;
}

function readChange(value: unknown, i: number): AptosChange | null {
  const path = `changes[${i}]`;
  const change = objectAt(value, path);
  const address = (): string => canonicalAddress(textAt(change['address'], `${path}.address`));
  const handle = (): string => canonicalAddress(textAt(change['handle'], `${path}.handle`));
  switch (change['type']) {
    case 'write_resource': {
      const resource = objectAt(change['data'], `${path}.data`);
      const type = canonicalTypeName(textAt(resource['type'], `${path}.data.type`));
      return new LaterResource(address(), type, path, () => resource['data']);
    }
    case 'delete_resource':
      return {
        kind: 'deleted-resource',
        address: address(),
        type: canonicalTypeName(textAt(change['resource'], `${path}.resource`)),
      };
    case 'write_table_item': {
      const data = tableData(change);
      if (data === null || typeof data['value_type'] !== 'string') return null;
      return new LaterTableItem(
        handle(),
        canonicalTypeName(textAt(data['key_type'], `${path}.key_type`)),
        canonicalTypeName(data['value_type']),
        path,
        () => data['key'],
        () => data['value'],
      );
    }
    case 'delete_table_item': {
      const data = tableData(change);
      if (data === null) return null;
      return {
        kind: 'deleted-table-item',
        handle: handle(),
        key: readValue(data['key'], `${path}.key`),
        keyType: canonicalTypeName(textAt(data['key_type'], `${path}.key_type`)),
      };
    }
    default:
      return null;
  }
}

/** A transaction as a fullnode's REST API writes it. */
class RestTransaction implements ReadTransaction {
  readonly version: bigint;
  readonly hash: string;
  readonly accumulatorRootHash: string;
  readonly timestampUs: bigint;
  readonly success: boolean;
  private readEvents: readonly RestEvent[] | undefined;
  private readChanges: readonly AptosChange[] | undefined;

  constructor(private readonly json: Json) {
    this.version = readU64(json['version'], 'version');
    this.hash = textAt(json['hash'], 'hash');
    this.accumulatorRootHash = textAt(json['accumulator_root_hash'], 'accumulator_root_hash');
    const timestamp = json['timestamp'];
    this.timestampUs = timestamp === undefined ? 0n : readU64(timestamp, 'timestamp');
    if (typeof json['success'] !== 'boolean') throw new AptosDecodeError('no boolean', 'success');
    this.success = json['success'];
  }

  get sender(): string | null {
    const sender = this.json['sender'];
    return sender === undefined ? null : canonicalAddress(textAt(sender, 'sender'));
  }
  get events(): readonly RestEvent[] {
    return (this.readEvents ??= listAt(this.json['events'], 'events').map(
      (event, i) => new RestEvent(i, objectAt(event, `events[${i}]`)),
    ));
  }
  changes(): readonly AptosChange[] {
    return (this.readChanges ??= listAt(this.json['changes'], 'changes')
      .map(readChange)
      .filter((change) => change !== null));
  }
}

/**
 * Reads one transaction of `/v1/transactions`, parsed.
 * @throws {AptosDecodeError} it is none that is in the ledger.
 */
export function readRestTransaction(json: unknown): ReadTransaction {
  return new RestTransaction(objectAt(json, 'transaction'));
}

/** The transactions of an answer of `/v1/transactions`. @throws {AptosDecodeError} */
export function readRestPage(text: string): readonly ReadTransaction[] {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    throw new AptosDecodeError('the page is no JSON');
  }
  if (!Array.isArray(page)) throw new AptosDecodeError('the page is no list');
  return page.map(readRestTransaction);
}
