import { canonicalAddress } from '../address';
import type { AptosEvent, AptosRecord, AptosTransaction } from '../transaction';
import { parseJson, readRecord, stableJson } from './values';

/** What is kept of an event that cannot be decoded: the same text from every source. */
export interface WithRawData {
  rawData(): string;
}

/** A transaction from a source, whose events can also be shown as they came. */
export interface ReadTransaction extends AptosTransaction {
  readonly events: readonly (AptosEvent & WithRawData)[];
}

/** An event's JSON text with its fields in one order; as it is where it is no JSON. */
export function rawDataOf(text: string): string {
  try {
    return stableJson(JSON.parse(text));
  } catch {
    return text;
  }
}

/** An event whose fields came as JSON text. */
export class TextEvent implements AptosEvent, WithRawData {
  private fields: AptosRecord | undefined;

  constructor(
    readonly index: number,
    readonly type: string,
    private readonly rawAccount: string,
    readonly creationNumber: bigint,
    readonly sequenceNumber: bigint,
    private readonly text: string,
  ) {}

  get account(): string {
    return canonicalAddress(this.rawAccount === '' ? '0x0' : this.rawAccount);
  }

  get data(): AptosRecord {
    return (this.fields ??= readRecord(parseJson(this.text, 'data'), 'data'));
  }

  rawData(): string {
    return rawDataOf(this.text);
  }
}
