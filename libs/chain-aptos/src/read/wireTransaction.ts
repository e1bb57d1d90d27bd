import { canonicalAddress, NO_ACCOUNT } from '../address';
import { AptosDecodeError } from '../errors';
import type { AptosChange, AptosEvent, AptosRecord } from '../transaction';
import { LaterResource, LaterTableItem } from './readChange';
import { rawDataOf, type ReadTransaction, type WithRawData } from './readEvent';
import { canonicalTypeName } from './typeNames';
import { parseJson, readRecord, readValue } from './values';
import { signed, WireReader } from './wire';

/** Fields of `aptos.transaction.v1.Transaction`. */
const TRANSACTION = { timestamp: 1, version: 2, info: 3 } as const;
const INFO = { hash: 1, success: 6, accumulatorRootHash: 8, changes: 9 } as const;
/** The kinds of transactions that have events, by the field they are in: where in it. */
const EVENTS_OF: Readonly<Record<number, number>> = { 7: 3, 8: 2, 10: 2, 21: 3 };
const USER = 10;

/** Seconds whose microseconds a number holds exactly. */
const SECONDS_EXACT_MAX = 9_000_000_000;

function readTimestampUs(reader: WireReader): bigint {
  let seconds = 0n;
  let nanos = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds = signed(reader.uint64());
    else if (reader.field === 2) nanos = reader.number();
    else reader.skip();
  }
  const us = Math.floor(nanos / 1_000);
  return seconds >= 0 && seconds <= SECONDS_EXACT_MAX
    ? BigInt(Number(seconds) * 1_000_000 + us)
    : seconds * 1_000_000n + BigInt(us);
}

/**
 * An event as the stream sends it. Its type is read at once, all else when it is asked for: most events of a ledger are nobody's whom
 * we follow.
 */
class WireEvent implements AptosEvent, WithRawData {
  readonly type: string;
  private sequence = 0n;
  private keyFrom = 0;
  private keyTo = 0;
  private dataFrom = 0;
  private dataTo = 0;
  private fields: AptosRecord | undefined;

  constructor(
    readonly index: number,
    private readonly buffer: Buffer,
    reader: WireReader,
  ) {
    let type = '';
    while (reader.next()) {
      switch (reader.field) {
        case 1:
          reader.bytes();
          this.keyFrom = reader.from;
          this.keyTo = reader.to;
          break;
        case 2:
          this.sequence = reader.uint64();
          break;
        case 4:
          reader.bytes();
          this.dataFrom = reader.from;
          this.dataTo = reader.to;
          break;
        case 5:
          type = canonicalTypeName(reader.ascii());
          break;
        default:
          reader.skip();
      }
    }
    this.type = type;
  }

  get account(): string {
    let account = '';
    const key = this.key();
    while (key.next()) {
      if (key.field === 2) account = key.ascii();
      else key.skip();
    }
    return account === '' ? NO_ACCOUNT : canonicalAddress(account);
  }
  get creationNumber(): bigint {
    let creationNumber = 0n;
    const key = this.key();
    while (key.next()) {
      if (key.field === 1) creationNumber = key.uint64();
      else key.skip();
    }
    return creationNumber;
  }
  get sequenceNumber(): bigint {
    return this.sequence;
  }
  get data(): AptosRecord {
    return (this.fields ??= readRecord(parseJson(this.text(), 'data'), 'data'));
  }
  rawData(): string {
    return rawDataOf(this.text());
  }

  private key(): WireReader {
    return new WireReader(this.buffer, this.keyFrom, this.keyTo);
  }
  private text(): string {
    return this.buffer.toString('utf8', this.dataFrom, this.dataTo);
  }
}

/** The text of a message's only field that is looked at. */
function textOf(reader: WireReader, field: number): string {
  let text = '';
  while (reader.next()) {
    if (reader.field === field) text = reader.text();
    else reader.skip();
  }
  return text;
}

/** A text of JSON where it is: of a transaction's changes few are looked at, and the others are never made. */
class LaterJson {
  private from = 0;
  private to = 0;

  constructor(private readonly buffer: Buffer) {}

  /** Goes over the value that a reader is at. */
  take(reader: WireReader): void {
    reader.bytes();
    this.from = reader.from;
    this.to = reader.to;
  }
  parse(path: string): unknown {
    return parseJson(this.buffer.toString('utf8', this.from, this.to), path);
  }
}

/** The numbers of the fields of a resource that was written or deleted. */
const RESOURCE = { address: 1, type: 4, data: 5 } as const;

function readResource(reader: WireReader): { address: string; type: string; data: LaterJson } {
  let address = '';
  let type = '';
  const data = new LaterJson(reader.buffer);
  while (reader.next()) {
    if (reader.field === RESOURCE.address) address = reader.text();
    else if (reader.field === RESOURCE.type) type = reader.text();
    else if (reader.field === RESOURCE.data) data.take(reader);
    else reader.skip();
  }
  return { address: canonicalAddress(address), type: canonicalTypeName(type), data };
}

/** The item of a table as the node decoded it; types are empty where it did not. */
interface TableItem {
  readonly handle: string;
  readonly key: LaterJson;
  readonly keyType: string;
  readonly value: LaterJson;
  readonly valueType: string;
}

function readTableItem(reader: WireReader): TableItem {
  let handle = '';
  let [keyType, valueType] = ['', ''];
  let [key, value] = [new LaterJson(reader.buffer), new LaterJson(reader.buffer)];
  while (reader.next()) {
    if (reader.field === 2) handle = canonicalAddress(reader.text());
    else if (reader.field === 4) {
      [keyType, valueType] = ['', ''];
      [key, value] = [new LaterJson(reader.buffer), new LaterJson(reader.buffer)];
      const data = reader.message();
      while (data.next()) {
        if (data.field === 1) key.take(data);
        else if (data.field === 2) keyType = data.text();
        else if (data.field === 3) value.take(data);
        else if (data.field === 4) valueType = data.text();
        else data.skip();
      }
    } else reader.skip();
  }
  return { handle, key, keyType, value, valueType };
}

function readChange(reader: WireReader, i: number): AptosChange | null {
  const path = `changes[${i}]`;
  while (reader.next()) {
    switch (reader.field) {
      case 3: {
        const { address, type } = readResource(reader.message());
        return { kind: 'deleted-resource', address, type };
      }
      case 4: {
        const { handle, key, keyType } = readTableItem(reader.message());
        if (keyType === '') return null;
        return {
          kind: 'deleted-table-item',
          handle,
          key: readValue(key.parse(`${path}.key`), `${path}.key`),
          keyType: canonicalTypeName(keyType),
        };
      }
      case 6: {
        const { address, type, data } = readResource(reader.message());
        return new LaterResource(address, type, path, () => data.parse(`${path}.data`));
      }
      case 7: {
        const { handle, key, keyType, value, valueType } = readTableItem(reader.message());
        if (keyType === '' || valueType === '') return null;
        return new LaterTableItem(
          handle,
          canonicalTypeName(keyType),
          canonicalTypeName(valueType),
          path,
          () => key.parse(`${path}.key`),
          () => value.parse(`${path}.value`),
        );
      }
      default:
        reader.skip();
    }
  }
  return null;
}

/** A transaction as the gRPC stream sends it. Keeps the buffer that it was read from. */
class WireTransaction implements ReadTransaction {
  version = 0n;
  timestampUs = 0n;
  success = false;
  private infoFrom = 0;
  private infoTo = 0;
  private payload = 0;
  private payloadFrom = 0;
  private payloadTo = 0;
  private readEvents: readonly WireEvent[] | undefined;
  private readChanges: readonly AptosChange[] | undefined;

  constructor(
    private readonly buffer: Buffer,
    from: number,
    to: number,
  ) {
    const reader = new WireReader(buffer, from, to);
    while (reader.next()) {
      const { field } = reader;
      if (field === TRANSACTION.version) this.version = reader.uint64();
      else if (field === TRANSACTION.timestamp) this.timestampUs = readTimestampUs(reader.message());
      else if (field === TRANSACTION.info) {
        reader.bytes();
        this.infoFrom = reader.from;
        this.infoTo = reader.to;
      } else if (EVENTS_OF[field] !== undefined) {
        reader.bytes();
        this.payload = field;
        this.payloadFrom = reader.from;
        this.payloadTo = reader.to;
      } else reader.skip();
    }
    if (this.infoTo === 0) throw new AptosDecodeError('there is none', 'info');
    const info = this.info();
    while (info.next()) {
      if (info.field === INFO.success) this.success = info.number() !== 0;
      else info.skip();
    }
  }

  get hash(): string {
    return this.hashOf(INFO.hash);
  }
  get accumulatorRootHash(): string {
    return this.hashOf(INFO.accumulatorRootHash);
  }
  get sender(): string | null {
    if (this.payload !== USER) return null;
    const user = this.payloadReader();
    while (user.next()) {
      if (user.field === 1) return canonicalAddress(textOf(user.message(), 1));
      user.skip();
    }
    return null;
  }
  get events(): readonly WireEvent[] {
    return (this.readEvents ??= this.decodeEvents());
  }
  changes(): readonly AptosChange[] {
    return (this.readChanges ??= this.decodeChanges());
  }

  private info(): WireReader {
    return new WireReader(this.buffer, this.infoFrom, this.infoTo);
  }
  private payloadReader(): WireReader {
    return new WireReader(this.buffer, this.payloadFrom, this.payloadTo);
  }
  private hashOf(field: number): string {
    const info = this.info();
    while (info.next()) {
      if (info.field === field) return info.hex();
      info.skip();
    }
    return '';
  }
  private decodeEvents(): readonly WireEvent[] {
    const events: WireEvent[] = [];
    const eventsField = EVENTS_OF[this.payload];
    if (eventsField === undefined) return events;
    const payload = this.payloadReader();
    while (payload.next()) {
      if (payload.field === eventsField)
        events.push(new WireEvent(events.length, this.buffer, payload.message()));
      else payload.skip();
    }
    return events;
  }
  private decodeChanges(): readonly AptosChange[] {
    const changes: AptosChange[] = [];
    const info = this.info();
    for (let i = 0; info.next();) {
      if (info.field !== INFO.changes) {
        info.skip();
        continue;
      }
      const change = readChange(info.message(), i++);
      if (change !== null) changes.push(change);
    }
    return changes;
  }
}

/**
 * Reads one `aptos.transaction.v1.Transaction`. The bytes are kept, not copied, until the transaction is let go of.
 * @throws {AptosDecodeError} it is none.
 */
export function readWireTransaction(buffer: Buffer, from = 0, to = buffer.length): ReadTransaction {
  return new WireTransaction(buffer, from, to);
}

/** A message of the gRPC stream. */
export interface WireResponse {
  readonly transactions: readonly ReadTransaction[];
  /** `null` when the server did not say. */
  readonly chainId: bigint | null;
}

/** Reads one `aptos.indexer.v1.TransactionsResponse`. @throws {AptosDecodeError} it is none. */
export function readWireResponse(buffer: Buffer): WireResponse {
  const transactions: ReadTransaction[] = [];
  let chainId: bigint | null = null;
  const reader = new WireReader(buffer);
  while (reader.next()) {
    if (reader.field === 1) {
      reader.bytes();
      transactions.push(new WireTransaction(buffer, reader.from, reader.to));
    } else if (reader.field === 2) chainId = reader.uint64();
    else reader.skip();
  }
  return { transactions, chainId };
}
