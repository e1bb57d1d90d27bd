import type { AptosMarket } from './market';
import { withoutTypeArguments } from './structTag';

const NOBODY: readonly number[] = [];
/** Types whose owners are remembered; above it the memory begins anew. */
const REMEMBERED_MAX = 20_000;

/** Whose an event is. */
export interface EventFilter {
  /** In the order in which they see an event: by name, so that the order of a setting changes nothing. */
  readonly markets: readonly AptosMarket[];
  /** Indexes into `markets` of those that know this type, ascending; the same empty list for every foreign one. */
  owners(type: string): readonly number[];
}

export function createEventFilter(followed: readonly AptosMarket[]): EventFilter {
  const markets = [...followed].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const byType = new Map<string, number[]>();
  markets.forEach(({ eventTypes }, i) => {
    for (const type of new Set(eventTypes)) byType.set(type, [...(byType.get(type) ?? []), i]);
  });
  let remembered = new Map<string, readonly number[]>();
  return {
    markets,
    owners(type) {
      const known = remembered.get(type);
      if (known !== undefined) return known;
      const owners = byType.get(withoutTypeArguments(type)) ?? NOBODY;
      if (remembered.size >= REMEMBERED_MAX) remembered = new Map();
      remembered.set(type, owners);
      return owners;
    },
  };
}
