import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { WorkerError } from '@imart/core';

/** What stands in place of a person's data once it cannot be read any more: a text, so that reducers need no other type. */
export const UNREADABLE = '[unreadable]';

/** Which fields of an event are about a person. What is not named here, and ids of aggregates, are kept as they are. */
export interface PersonalFields<Data = unknown> {
  /** Whose data it is: a name that is stable, and tells nothing by itself. 1 to 256 characters. */
  person(data: Data, aggregateId: string): string;
  /** Fields of the data. They are texts, or absent or `null`. Named in another version of the event, they stay sealed all the same. */
  readonly fields: readonly string[];
}

/** The key of one person, itself sealed: readable with the master key alone. */
export interface PersonKey {
  readonly id: string;
  /** Hex. */
  readonly sealedKey: string;
}

/** Seals with keys of persons, which the master key opens. AES-256-GCM throughout. */
export interface PersonalData {
  /** A key that was never there, sealed. */
  newKey(): string;
  /** @param place what the text belongs to: it opens nowhere else. */
  seal(sealedKey: string, text: string, place: string): string;
  /** @throws {PersonalDataKeyError} the master key is another one. @throws {Error} the text was changed, or is of another place. */
  open(sealedKey: string, sealed: string, place: string): string;
  /** That the master key opens this key. @throws {PersonalDataKeyError} */
  check(sealedKey: string): void;
  /** A hash that nobody can try guesses against without the master key. Hex, 32 digits. */
  hash(text: string): string;
}

/** Personal data cannot be sealed or opened with what is configured. */
export class PersonalDataKeyError extends WorkerError {
  constructor(detail: string) {
    super(`${detail}; set PERSONAL_DATA_KEY to the key that this database was started with`, {
      code: 'PERSONAL_DATA_KEY',
      disposition: 'stop',
    });
  }
}

/** Length of the master key. */
export const MASTER_KEY_BYTES = 32;

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_PLACE = 'key of a person';

/** @throws {RangeError} for a master key of another length than {@link MASTER_KEY_BYTES}. */
export function createPersonalData(masterKey: Uint8Array): PersonalData {
  if (masterKey.length !== MASTER_KEY_BYTES)
    throw new RangeError(`the master key has ${MASTER_KEY_BYTES} bytes, not ${masterKey.length}`);
  const derived = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), use, MASTER_KEY_BYTES));
  const wrapping = derived('imart keys of persons');
  const hashing = derived('imart hashes of commands');
  const keyOf = (sealedKey: string): Buffer => {
    try {
      return opened(wrapping, Buffer.from(sealedKey, 'hex'), KEY_PLACE);
    } catch {
      throw new PersonalDataKeyError('the master key does not open the keys of persons in this database');
    }
  };
  return {
    newKey: () => sealed(wrapping, randomBytes(MASTER_KEY_BYTES), KEY_PLACE).toString('hex'),
    seal: (sealedKey, text, place) => sealed(keyOf(sealedKey), Buffer.from(text), place).toString('base64'),
    open: (sealedKey, text, place) => opened(keyOf(sealedKey), Buffer.from(text, 'base64'), place).toString(),
    check: (sealedKey) => void keyOf(sealedKey),
    hash: (text) => createHmac('sha256', hashing).update(text).digest('hex').slice(0, 32),
  };
}

/** Nonce, tag and ciphertext. The nonce is random: a key seals far fewer than the 2^32 texts up to which that is safe. */
function sealed(key: Buffer, content: Buffer, place: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

function opened(key: Buffer, content: Buffer, place: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, content.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(content.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(content.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}
