import { createHash } from 'node:crypto';
import { aptos } from '@aptos-labs/aptos-protos';
import type { ProtoJson } from '../../../libs/chain-aptos/src/testing/fakeLedger';
import { protoJsonToRest } from '../../../libs/chain-aptos/src/testing/protoJsonToRest';

/** What differs between two transactions of a template: text that is always as long as its marker. */
export type SlotValues = Readonly<Record<string, string>>;

/** Where a transaction is in the ledger. */
export interface Place {
  readonly version: number;
  readonly timeUs: number;
}

/** A transaction that was encoded once, in one format, and is written many times with other values at the same places. */
export interface Template {
  readonly size: number;
  /** Writes the transaction. @returns where it ends. */
  write(target: Buffer, at: number, place: Place, values: SlotValues): number;
}

/** One transaction in both formats that a worker reads. */
export interface Templates {
  readonly wire: Template;
  readonly rest: Template;
}

/** Values of the same width as every real one, which occur nowhere else in a transaction. */
const MARK = { version: 3_141_592_653, seconds: 1_618_033_988, nanos: 271_828_000 } as const;
const HASHES = { hash: 0xbe, root: 0xac } as const;
type HashName = keyof typeof HASHES;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const markHash = (name: HashName): Buffer => sha256(`mark of the ${name}`);

/** An address that stands for one of a slot. */
export const addressSlot = (name: string): string => `0xf${sha256(`slot ${name}`).toString('hex').slice(1)}`;
/** A number of so many digits that stands for one of a slot. */
export const numberSlot = (name: string, digits: number): string =>
  `9${(BigInt(`0x${sha256(`slot ${name}`).toString('hex')}`) % 10n ** BigInt(digits - 1)).toString().padStart(digits - 1, '0')}`;

/** The 32 bytes that a version has as its hash, or as the accumulator's root after it, as hex digits. */
export function hashOf(name: HashName, version: number): string {
  return HASHES[name].toString(16).repeat(26) + version.toString(16).padStart(12, '0');
}
function writeHash(target: Buffer, at: number, name: HashName, version: number): void {
  target.fill(HASHES[name], at, at + 26);
  target.writeUIntBE(version, at + 26, 6);
}

/** The fields that every transaction has, to be filled in. */
export function commonFields(): ProtoJson {
  return {
    version: String(MARK.version),
    timestamp: { seconds: String(MARK.seconds), nanos: MARK.nanos },
  };
}
export function commonInfo(): ProtoJson {
  return {
    hash: markHash('hash').toString('base64'),
    accumulatorRootHash: markHash('root').toString('base64'),
  };
}

/** A varint of five bytes: of a number from 2^28 on, below 2^35. */
function writeVarint5(target: Buffer, at: number, value: number): void {
  let rest = value;
  for (let i = 0; i < 4; i++) {
    target[at + i] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at + 4] = rest;
}
function varint5(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  writeVarint5(bytes, 0, value);
  return bytes;
}

function placesOf(bytes: Buffer, mark: Buffer, what: string, least = 1): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at);
  if (places.length < least) throw new Error(`a template lacks its ${what}`);
  return places;
}

type WriteCommon = (target: Buffer, at: number, place: Place) => void;

function createTemplate(bytes: Buffer, marks: SlotValues, common: WriteCommon): Template {
  const slots = Object.entries(marks).map(
    ([name, mark]) => [name, placesOf(bytes, Buffer.from(mark), name, 0)] as const,
  );
  return {
    size: bytes.length,
    write(target, at, place, values) {
      bytes.copy(target, at);
      common(target, at, place);
      for (const [name, places] of slots) {
        const value = values[name];
        if (value === undefined || value.length !== marks[name]?.length)
          throw new Error(`${name} cannot be '${value}'`);
        for (const offset of places) target.write(value, at + offset, 'latin1');
      }
      return at + bytes.length;
    },
  };
}

function wireTemplate(json: ProtoJson, marks: SlotValues): Template {
  const { Transaction } = aptos.transaction.v1;
  const bytes = Buffer.from(Transaction.encode(Transaction.fromJSON(json)).finish() as Uint8Array);
  const once = (mark: Buffer, what: string): number => placesOf(bytes, mark, what)[0] as number;
  const version = once(varint5(MARK.version), 'version');
  const seconds = once(varint5(MARK.seconds), 'seconds');
  const nanos = once(varint5(MARK.nanos), 'nanos');
  const hash = once(markHash('hash'), 'hash');
  const root = once(markHash('root'), 'root');
  return createTemplate(bytes, marks, (target, at, place) => {
    writeVarint5(target, at + version, place.version);
    writeVarint5(target, at + seconds, Math.floor(place.timeUs / 1_000_000));
    writeVarint5(target, at + nanos, (place.timeUs % 1_000_000) * 1_000);
    writeHash(target, at + hash, 'hash', place.version);
    writeHash(target, at + root, 'root', place.version);
  });
}

function restTemplate(json: ProtoJson, marks: SlotValues): Template {
  const bytes = Buffer.from(JSON.stringify(protoJsonToRest(json)));
  const timeUs = String(BigInt(MARK.seconds) * 1_000_000n + BigInt(MARK.nanos / 1_000));
  const version = placesOf(bytes, Buffer.from(String(MARK.version)), 'version');
  const time = placesOf(bytes, Buffer.from(timeUs), 'time');
  const hash = placesOf(bytes, Buffer.from(markHash('hash').toString('hex')), 'hash');
  const root = placesOf(bytes, Buffer.from(markHash('root').toString('hex')), 'root');
  return createTemplate(bytes, marks, (target, at, place) => {
    for (const offset of version) target.write(String(place.version), at + offset, 'latin1');
    for (const offset of time) target.write(String(place.timeUs), at + offset, 'latin1');
    for (const offset of hash) target.write(hashOf('hash', place.version), at + offset, 'latin1');
    for (const offset of root) target.write(hashOf('root', place.version), at + offset, 'latin1');
  });
}

/**
 * Encodes a transaction once in each format.
 * @param marks what stands in it for the value of each slot.
 */
export function createTemplates(json: ProtoJson, marks: SlotValues = {}): Templates {
  return { wire: wireTemplate(json, marks), rest: restTemplate(json, marks) };
}
