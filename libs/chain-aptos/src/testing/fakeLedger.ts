import { createHash } from 'node:crypto';

/** A transaction in protobuf's JSON form. */
export type ProtoJson = Record<string, unknown>;

export interface FakeEvent {
  readonly type: string;
  readonly data: unknown;
  /** Absent: a module event. */
  readonly account?: string;
  readonly creationNumber?: number;
  readonly sequenceNumber?: number;
}

export interface FakeTransaction {
  readonly events?: readonly FakeEvent[];
  /** @defaultValue true */
  readonly success?: boolean;
  readonly sender?: string;
  /** `WriteSetChange`s in protobuf's JSON form. */
  readonly changes?: readonly ProtoJson[];
  /** @defaultValue `user` */
  readonly kind?: 'user' | 'stateCheckpoint' | 'blockMetadata';
  /** Chain time in microseconds. @defaultValue one millisecond after the transaction before */
  readonly timestampUs?: bigint;
}

/** A ledger that nodes serve: dense versions, each with hashes that depend on all before it. */
export interface FakeLedger {
  readonly chainId: number;
  /** The first version there is: those below it are pruned. */
  readonly first: bigint;
  /** The last version there is; the one before the first when there is none. */
  readonly head: bigint;
  /** The transaction; `undefined` above the head. */
  at(version: bigint): ProtoJson | undefined;
  timestampUs(version: bigint): bigint;
  /** @returns its version */
  add(transaction?: FakeTransaction): bigint;
  /** Adds a transaction that was recorded, under the next version. @returns its version */
  addRecorded(json: unknown): bigint;
}

const TYPES = {
  user: 'TRANSACTION_TYPE_USER',
  stateCheckpoint: 'TRANSACTION_TYPE_STATE_CHECKPOINT',
  blockMetadata: 'TRANSACTION_TYPE_BLOCK_METADATA',
} as const;
const FIRST_TIME_US = 1_700_000_000_000_000n;
const SENDER = '0xfeed';

const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** @param name two ledgers of other names are other ledgers, of the same chain id perhaps. */
export function createFakeLedger(chainId = 4, name = 'ledger', first = 0n): FakeLedger {
  const transactions: ProtoJson[] = [];
  const times: bigint[] = [];
  let root = sha256(name);

  const push = (json: ProtoJson, hash: Buffer, timestampUs: bigint): bigint => {
    root = sha256(root, hash);
    const version = first + BigInt(transactions.length);
    transactions.push({
      ...json,
      version: String(version),
      info: {
        ...(json['info'] as ProtoJson),
        hash: hash.toString('base64'),
        accumulatorRootHash: root.toString('base64'),
      },
    });
    times.push(timestampUs);
    return version;
  };

  return {
    chainId,
    first,
    get head() {
      return first + BigInt(transactions.length) - 1n;
    },
    at: (version) => transactions[Number(version - first)],
    timestampUs: (version) => times[Number(version - first)] ?? 0n,
    add({ events = [], success = true, sender = SENDER, changes = [], kind = 'user', timestampUs } = {}) {
      const timeUs = timestampUs ?? (times.at(-1) ?? FIRST_TIME_US) + 1_000n;
      const eventsJson = events.map(({ type, data, account, creationNumber, sequenceNumber }) => ({
        key: {
          ...(creationNumber === undefined ? {} : { creationNumber: String(creationNumber) }),
          accountAddress: account ?? '0x0',
        },
        ...(sequenceNumber === undefined ? {} : { sequenceNumber: String(sequenceNumber) }),
        typeStr: type,
        data: JSON.stringify(data),
      }));
      const json: ProtoJson = {
        timestamp: { seconds: String(timeUs / 1_000_000n), nanos: Number(timeUs % 1_000_000n) * 1_000 },
        epoch: '1',
        blockHeight: String(transactions.length),
        type: TYPES[kind],
        info: {
          ...(success ? { success: true } : {}),
          gasUsed: '7',
          vmStatus: success ? 'Executed successfully' : 'Move abort',
          changes,
        },
        [kind]:
          kind === 'user'
            ? { request: { sender, sequenceNumber: String(transactions.length) }, events: eventsJson }
            : kind === 'stateCheckpoint'
              ? {}
              : { events: eventsJson },
      };
      const hash = sha256(name, String(transactions.length), JSON.stringify(json));
      return push(json, hash, timeUs);
    },
    addRecorded(recorded) {
      const json = recorded as ProtoJson;
      const { seconds = '0', nanos = 0 } = (json['timestamp'] ?? {}) as { seconds?: string; nanos?: number };
      const hash = Buffer.from((json['info'] as { hash: string }).hash, 'base64');
      return push(json, hash, BigInt(seconds) * 1_000_000n + BigInt(nanos) / 1_000n);
    },
  };
}
