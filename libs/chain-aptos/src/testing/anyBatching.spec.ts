import fc from 'fast-check';
import type { MarketEvent } from '@imart/market';
import { foldEvents } from './translation';

/**
 * Folding in any batches, ranges read twice included, gives what folding at once gives. Prints its seed where it fails.
 */
export function expectSameInAnyBatching(events: readonly MarketEvent[]): void {
  const whole = foldEvents(events);
  const cut = fc.record({ size: fc.integer({ min: 1, max: 7 }), again: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 40 }), (cuts) => {
      const batches: (readonly MarketEvent[])[] = [];
      let from = 0;
      for (const { size, again } of cuts) {
        batches.push(events.slice(Math.max(0, from - again), from + size));
        from = Math.min(events.length, from + size);
      }
      batches.push(events.slice(from));
      const folded = foldEvents(...batches);
      expect(folded.activities).toEqual(whole.activities);
      expect(new Map(folded.rows.map((row) => [`${row.table} ${row.key}`, row]))).toEqual(
        new Map(whole.rows.map((row) => [`${row.table} ${row.key}`, row])),
      );
    }),
    { numRuns: 50 },
  );
}
