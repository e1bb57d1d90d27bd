import { canonicalAddress } from './address';
import { AptosDecodeError } from './errors';
import { withoutTypeArguments } from './structTag';
import type { AptosEvent, AptosRecord, AptosTransaction, AptosValue } from './transaction';

/** A field of a resource that keeps the handle of one kind of event. */
export interface EventHandleField {
  /** The resource's type, canonical, without type arguments. */
  readonly resource: string;
  readonly field: string;
  /** The type, canonical, that events of the handle are taken for. */
  readonly type: string;
}

const fieldOf = (value: AptosValue | undefined, field: string): AptosValue | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as AptosRecord)[field]
    : undefined;

/** Whether a field is the `EventHandle` that the event came from. */
function isHandleOf(handle: AptosValue | undefined, event: AptosEvent): boolean {
  const id = fieldOf(fieldOf(handle, 'guid'), 'id');
  const [address, number] = [fieldOf(id, 'addr'), fieldOf(id, 'creation_num')];
  return (
    typeof address === 'string' &&
    number === String(event.creationNumber) &&
    canonicalAddress(address) === event.account
  );
}

/**
 * What an event is by its handle, whatever its own type is called: an event raises its handle's counter, so the transaction wrote the
 * resource that has the handle. `null`: its handle is none of these, or the transaction's writes do not tell.
 */
export function typeByHandle(
  event: AptosEvent,
  transaction: AptosTransaction,
  fields: readonly EventHandleField[],
): string | null {
  if (fields.length === 0) return null;
  try {
    for (const change of transaction.changes()) {
      if (change.kind !== 'written-resource') continue;
      const resource = withoutTypeArguments(change.type);
      const found = fields.find(
        (one) => one.resource === resource && isHandleOf(change.data[one.field], event),
      );
      if (found !== undefined) return found.type;
    }
  } catch (error) {
    if (!(error instanceof AptosDecodeError)) throw error;
  }
  return null;
}

/** The same event under another type. */
export function underType(event: AptosEvent, type: string): AptosEvent {
  return {
    index: event.index,
    type,
    get account() {
      return event.account;
    },
    get creationNumber() {
      return event.creationNumber;
    },
    get sequenceNumber() {
      return event.sequenceNumber;
    },
    get data() {
      return event.data;
    },
  };
}
