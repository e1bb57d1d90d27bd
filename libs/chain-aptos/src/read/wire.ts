import { AptosDecodeError } from '../errors';

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

function broken(): never {
  throw new AptosDecodeError('is no protobuf message');
}

/**
 * Reads a protobuf message field by field, without copying and without making objects of what is skipped: a stream's messages
 * are hundreds of fields of which a few are looked at. `next()` goes to a field; then one of the readers takes its value, or
 * `skip()` goes over it.
 */
export class WireReader {
  /** Number of the field that was gone to. */
  field = 0;
  private wireType = 0;
  /** Ends of the value that `bytes()` went over. */
  from = 0;
  to = 0;

  constructor(
    readonly buffer: Buffer,
    private position = 0,
    private readonly end = buffer.length,
  ) {
    if (end > buffer.length || position > end) broken();
  }

  /** Goes to the next field; `false` at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false;
    const tag = this.number();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) broken();
    return true;
  }

  /** A varint, exact up to 2^53. */
  number(): number {
    const { buffer } = this;
    let position = this.position;
    let low = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (position >= this.end) broken();
      const byte = buffer[position++] as number;
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.position = position;
        return low;
      }
      factor *= 128;
    }
    return broken();
  }

  /** A varint of 64 bits. */
  uint64(): bigint {
    const start = this.position;
    const number = this.number();
    if (number <= Number.MAX_SAFE_INTEGER) return BigInt(number);
    let value = 0n;
    for (let i = start, shift = 0n; i < this.position; i++, shift += 7n)
      value |= BigInt((this.buffer[i] as number) & 0x7f) << shift;
    return BigInt.asUintN(64, value);
  }

  /** Goes over a value of bytes, whose ends are `from` and `to` then. */
  bytes(): void {
    if (this.wireType !== WIRE_LENGTH) broken();
    const length = this.number();
    this.from = this.position;
    this.to = this.position + length;
    if (this.to > this.end) broken();
    this.position = this.to;
  }

  /** A value of bytes as a message of its own. */
  message(): WireReader {
    this.bytes();
    return new WireReader(this.buffer, this.from, this.to);
  }

  text(): string {
    this.bytes();
    return this.buffer.toString('utf8', this.from, this.to);
  }

  /** A text of ASCII characters only. */
  ascii(): string {
    this.bytes();
    return this.buffer.toString('latin1', this.from, this.to);
  }

  hex(): string {
    this.bytes();
    return `0x${this.buffer.toString('hex', this.from, this.to)}`;
  }

  skip(): void {
    switch (this.wireType) {
      case WIRE_VARINT:
        this.number();
        break;
      case WIRE_FIXED64:
        this.position += 8;
        break;
      case WIRE_LENGTH:
        this.bytes();
        break;
      case WIRE_FIXED32:
        this.position += 4;
        break;
      default:
        broken();
    }
    if (this.position > this.end) broken();
  }
}

/** The unsigned number that holds a negative one in a varint of 64 bits, as that negative one. */
export function signed(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
