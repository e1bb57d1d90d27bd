import { SCRIPTED_EVENTS } from './scriptedEvents';
import { SCRIPTED_ADDRESS } from './scriptedMarket';

/** Handles of a module at {@link SCRIPTED_ADDRESS}, as `struct/field`, with their creation numbers. */
const handlesOf = (module: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(SCRIPTED_EVENTS)
      .filter(([type]) => type.startsWith(module))
      .map(([, [place, creation]]) => [`${SCRIPTED_ADDRESS}::${place}`, String(creation)]),
  );

/** Those of the scripted market. */
export const SCRIPTED_HANDLES = handlesOf('FixedMarket::');
/** Those of a script of everything. */
export const EVERY_SCRIPTED_HANDLE = handlesOf('');
