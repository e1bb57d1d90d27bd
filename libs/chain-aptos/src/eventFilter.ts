import type { EventHandleField } from './eventHandles';
import type { AptosMarket } from './market';
import { withoutTypeArguments } from './structTag';

const NOBODY: readonly number[] = [];
/** Whose an event of a followed package is that no market knows. */
export const UNKNOWN: readonly number[] = [];
/** Types whose owners are remembered; above it the memory begins anew. */
const REMEMBERED_MAX = 20_000;

/** Whose an event is. */
export interface EventFilter {
  /** In the order in which they see an event: by name, so that the order of a setting changes nothing. */
  readonly markets: readonly AptosMarket[];
  /**
   * Indexes into `markets` of those that know this type, ascending; the same empty list for every foreign one, and {@link UNKNOWN} for
   * one of a package that is followed.
   */
  owners(type: string): readonly number[];
  /** Where the markets' events come from. */
  readonly handles: readonly EventHandleField[];
}

export function createEventFilter(followed: readonly AptosMarket[]): EventFilter {
  const markets = [...followed].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const byType = new Map<string, number[]>();
  markets.forEach(({ eventTypes }, i) => {
    for (const type of new Set(eventTypes)) byType.set(type, [...(byType.get(type) ?? []), i]);
  });
  const packages = new Set(markets.map(({ packageAddress }) => packageAddress));
  let remembered = new Map<string, readonly number[]>();
  return {
    markets,
    handles: markets.flatMap(({ handles = [] }) => handles),
    owners(type) {
      const known = remembered.get(type);
      if (known !== undefined) return known;
      const owners =
        byType.get(withoutTypeArguments(type)) ??
        (packages.has(type.slice(0, type.indexOf('::'))) ? UNKNOWN : NOBODY);
      if (remembered.size >= REMEMBERED_MAX) remembered = new Map();
      remembered.set(type, owners);
      return owners;
    },
  };
}
