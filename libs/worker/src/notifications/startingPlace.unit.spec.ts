import { startingPlace } from './startingPlace';

describe('where telling begins', () => {
  it('is now, the beginning, a date or a moment, in microseconds', () => {
    expect(startingPlace.parse('now')).toBe('now');
    expect(startingPlace.parse('beginning')).toBe('beginning');
    expect(startingPlace.parse('1970-01-02')).toBe(86_400_000_000n);
    expect(startingPlace.parse('1970-01-01T01:00:00.5+01:00')).toBe(500_000n);
  });

  it.each(['', 'yesterday', '2026', '2026-01-31T12:00:00', '2026-13-01'])('refuses %p', (value) => {
    expect(() => startingPlace.parse(value)).toThrow(/must be now, beginning, a date/);
  });
});
