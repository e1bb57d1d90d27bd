import type { Brand } from './brand';
import { SeqNoRangeError } from './errors';

/**
 * Place of an event in its Subject's total order: strictly increasing, computed from the place in the source and so
 * the same on every run; not dense. Fits a signed 64-bit column. SeqNos of two Subjects cannot be compared.
 */
export type SeqNo = Brand<bigint, 'SeqNo'>;

/** The place that a SeqNo encodes. All three count from zero. */
export interface Place {
  /** Number of a block, version of a ledger, or the counter itself (commands). */
  readonly position: bigint;
  /** Log index in the block, or event index in the transaction. */
  readonly index: number;
  /** Which of the events that one log turned into. */
  readonly part: number;
}

/** How many bits each component of a {@link Place} has. Their sum is at most 63. */
export interface SeqNoLayout {
  readonly positionBits: number;
  readonly indexBits: number;
  readonly partBits: number;
}

/** Turns places into SeqNos and back. Numeric order of SeqNos is the order of (position, index, part). */
export interface SeqNoCodec {
  readonly layout: SeqNoLayout;
  /** Largest value of each component. */
  readonly max: Place;
  /** @throws {SeqNoRangeError} when a component is negative or does not fit its bits. */
  encode(position: bigint, index: number, part: number): SeqNo;
  decode(seqNo: SeqNo): Place;
  /** Whether `encode` would accept this place. */
  fits(position: bigint, index: number, part: number): boolean;
  /** The least SeqNo of a position: every event of the position is at or above it. */
  first(position: bigint): SeqNo;
  /** The greatest SeqNo of a position: every event of the position is at or below it, an empty position included. */
  last(position: bigint): SeqNo;
}

/** The SeqNo before every event: nothing has been ingested or executed. */
export const BEFORE_FIRST = -1n as SeqNo;

/** Commands: a counter. */
export const COMMAND_SEQ_NO_LAYOUT: SeqNoLayout = { positionBits: 63, indexBits: 0, partBits: 0 };

/**
 * @example
 * const codec = createSeqNoCodec({ positionBits: 32, indexBits: 17, partBits: 14 });
 * codec.encode(1n, 2, 3); // 1 * 2^31 + 2 * 2^14 + 3 = 2147516419n
 */
export function createSeqNoCodec(layout: SeqNoLayout): SeqNoCodec {
  const { positionBits, indexBits, partBits } = layout;
  if (positionBits + indexBits + partBits > 63) {
    throw new RangeError(`a SeqNo layout has at most 63 bits, got ${positionBits + indexBits + partBits}`);
  }
  const indexMax = 2 ** indexBits - 1;
  const partMax = 2 ** partBits - 1;
  const positionMax = (1n << BigInt(positionBits)) - 1n;
  const lowBits = BigInt(indexBits + partBits);
  const lowMask = (1n << lowBits) - 1n;
  const partFactor = 2 ** partBits;

  const fits = (position: bigint, index: number, part: number): boolean =>
    position >= 0n &&
    position <= positionMax &&
    Number.isInteger(index) &&
    index >= 0 &&
    index <= indexMax &&
    Number.isInteger(part) &&
    part >= 0 &&
    part <= partMax;

  return {
    layout,
    max: { position: positionMax, index: indexMax, part: partMax },
    fits,
    encode(position, index, part) {
      if (!fits(position, index, part)) throw new SeqNoRangeError({ position, index, part, layout });
      // index and part together have at most 31 bits in every layout that has them, so the product is exact.
      return ((position << lowBits) | BigInt(index * partFactor + part)) as SeqNo;
    },
    decode(seqNo) {
      const low = Number(seqNo & lowMask);
      return { position: seqNo >> lowBits, index: Math.floor(low / partFactor), part: low % partFactor };
    },
    first: (position) => (position << lowBits) as SeqNo,
    last: (position) => ((position << lowBits) | lowMask) as SeqNo,
  };
}

/** The codec of every command subject: the position is the SeqNo. */
export const commandSeqNo: SeqNoCodec = createSeqNoCodec(COMMAND_SEQ_NO_LAYOUT);

const SEQ_NO_MAX = 2n ** 63n - 1n;

/** Parses the decimal text of a SeqNo, as the API and the command line give it; `undefined` when it is none. */
export function parseSeqNo(text: string): SeqNo | undefined {
  const value = /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  return value === undefined || value > SEQ_NO_MAX ? undefined : (value as SeqNo);
}
