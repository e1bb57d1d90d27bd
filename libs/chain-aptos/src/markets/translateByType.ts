import { canonicalAddress } from '../address';
import type { AptosMarket, EmitAptosMarketEvent } from '../market';
import { withoutTypeArguments } from '../structTag';
import type { AptosEvent, AptosTransaction } from '../transaction';
import { handleFields, type HandleTypes } from './handleFields';

export type TranslateEvent = (
  event: AptosEvent,
  emit: EmitAptosMarketEvent,
  transaction: AptosTransaction,
) => void;

/** A market of a package whose every type of event, by `module::Struct`, is translated by itself; `handles` says where they come from. */
export function translateByType(
  name: string,
  packageAddress: string,
  translations: Readonly<Record<string, TranslateEvent>>,
  handles: HandleTypes = {},
): AptosMarket {
  const address = canonicalAddress(packageAddress);
  const byType = new Map(
    Object.entries(translations).map(([type, translate]) => [`${address}::${type}`, translate]),
  );
  return {
    name,
    eventTypes: [...byType.keys()],
    packageAddress: address,
    handles: handleFields(address, handles),
    translate: (event, transaction, emit) =>
      byType.get(withoutTypeArguments(event.type))?.(event, emit, transaction),
  };
}
