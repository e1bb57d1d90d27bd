import type { AptosRecord, AptosValue, WrittenResource, WrittenTableItem } from '../transaction';
import { readRecord, readValue } from './values';

/** A value of JSON that is read when somebody asks for it: of a transaction's changes few are looked at. */
export type ReadLater = () => unknown;

/** A resource whose fields are read when they are asked for. */
export class LaterResource implements WrittenResource {
  readonly kind = 'written-resource';
  private fields: AptosRecord | undefined;

  constructor(
    readonly address: string,
    readonly type: string,
    private readonly path: string,
    private readonly read: ReadLater,
  ) {}

  get data(): AptosRecord {
    return (this.fields ??= readRecord(this.read(), `${this.path}.data`));
  }
}

/** An item of a table whose key and value are read when they are asked for. */
export class LaterTableItem implements WrittenTableItem {
  readonly kind = 'written-table-item';

  constructor(
    readonly handle: string,
    readonly keyType: string,
    readonly valueType: string,
    private readonly path: string,
    private readonly readKey: ReadLater,
    private readonly readItem: ReadLater,
  ) {}

  get key(): AptosValue {
    return readValue(this.readKey(), `${this.path}.key`);
  }
  get value(): AptosValue {
    return readValue(this.readItem(), `${this.path}.value`);
  }
}
