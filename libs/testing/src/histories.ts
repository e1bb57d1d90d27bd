import fc from 'fast-check';
import type { Event } from '@imart/core';
import { AGGREGATE } from '@imart/market';
import { ALICE } from './marketEvents';
import { randomHistory } from './randomMarket';

/** No chain of this project tells a time after the year 9999. */
const CALENDAR_END_US = 253_402_300_800_000_000n;

/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
export const histories = fc
  .record({
    history: randomHistory,
    poison: fc.array(fc.nat({ max: 59 }), { maxLength: 2 }),
    widths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 40, maxLength: 40 }),
  })
  .map(({ history, poison, widths }) => {
    const events = history.map((event, i): Event => {
      if (poison.includes(i) && event.aggregateType === AGGREGATE.order)
        return { ...event, name: 'TokenMinted', data: { to: ALICE, standard: 'erc721' } };
      const { expiresAtUs } = event.data as { expiresAtUs?: bigint | null };
      if (typeof expiresAtUs !== 'bigint' || expiresAtUs < CALENDAR_END_US) return event;
      return { ...event, data: { ...event.data, expiresAtUs: CALENDAR_END_US } } as Event;
    });
    const last = (events.at(-1)?.source.position ?? 0n) + 1n;
    const ends: bigint[] = [];
    for (let end = -1n, i = 0; end < last; i++)
      ends.push((end += i < widths.length ? BigInt(widths[i] as number) : last - end));
    return { events, ends };
  });
