import { FULL_HISTORIES_DEFAULT, HISTORIES_DEFAULT, readOptions } from './options';

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

  it('is refused where it cannot be meant', () => {
    expect(() => read('--seed', 'x')).toThrow('--seed must be a number');
    expect(() => read('--histories', '-1')).toThrow('--histories');
    expect(() => read('--nonsense')).toThrow();
  });
});
