import type { ValueType } from '@imart/runtime';

/** Where telling begins: `beginning`, `now`, or a chain time in microseconds since 1970. */
export type StartingPlace = 'beginning' | 'now' | bigint;

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** `now`, `beginning`, a date or a moment with its zone. */
export const startingPlace: ValueType<StartingPlace> = {
  label: 'now | beginning | a date or moment, as 2026-01-31 or 2026-01-31T12:00:00Z',
  parse(value) {
    if (value === 'now' || value === 'beginning') return value;
    const ms = MOMENT.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(ms)) {
      throw new Error(
        'must be now, beginning, a date (2026-01-31) or a moment with its zone (2026-01-31T12:00:00Z)',
      );
    }
    return BigInt(ms) * 1000n;
  },
};
