import { FULL_HISTORIES_DEFAULT, HISTORIES_DEFAULT, OptionsError, readOptions } from './options';

const read = (...args: string[]) => readOptions(args, () => 77);

describe('what is asked of test:faults', () => {
  it('is every row and at least 300 histories, from a seed that is drawn', () => {
    expect(read()).toEqual({
      rows: true,
      only: null,
      histories: HISTORIES_DEFAULT,
      fullHistories: FULL_HISTORIES_DEFAULT,
      seed: 77,
      hours: null,
      ran: null,
      help: false,
    });
    expect(HISTORIES_DEFAULT + FULL_HISTORIES_DEFAULT).toBeGreaterThanOrEqual(300);
  });

  it('is one history when a seed is given: in memory, or of the whole worker', () => {
    expect(read('--seed', '5')).toMatchObject({ rows: false, histories: 1, fullHistories: 0, seed: 5 });
    expect(read('--seed', '5', '--full')).toMatchObject({ histories: 0, fullHistories: 1, seed: 5 });
  });

  it('is only some rows, or hours of histories', () => {
    expect(read('--rows', 'P1, R3')).toMatchObject({ rows: true, only: ['P1', 'R3'], histories: 0 });
    expect(read('--no-rows', '--hours', '0.5')).toMatchObject({ rows: false, hours: 0.5 });
  });

  it.each([
    [['--seed', 'x'], '--seed must be a whole number from 0 on, not "x"'],
    [['--seed', '1.5'], '--seed must be a whole number'],
    [['--from', '0x10'], '--from must be a whole number'],
    [['--histories', '-1'], '--histories'],
    [['--histories', '1e3'], '--histories must be a whole number'],
    [['--full-histories', ''], '--full-histories must be a whole number'],
    [['--hours', 'two'], '--hours must be a number from 0 on, not "two"'],
    [['--hours', '1', '--rows', 'P1'], '--hours needs histories'],
    [['--full'], '--full is of --seed'],
    [['--seed', '1', '--from', '2'], 'exclude each other'],
    [['--no-rows', '--rows', 'P1'], '--no-rows excludes'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['77'], 'Unexpected argument'],
  ])('is refused where it cannot be meant: %j', (args, message) => {
    expect(() => read(...args)).toThrow(OptionsError);
    expect(() => read(...args)).toThrow(message);
  });
});
