import { enumerateFaults } from './enumerate';
import { describeMet, runHistory } from './history';
import { plainHistoryOf, randomHistoryOf } from './profiles';

/** What must notice a broken engine, quickly: it ends with the first history that is wrong. */
describe('a few histories', () => {
  it('end with the tables of one clean pass, whatever crashes', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const result = await runHistory(randomHistoryOf(seed));
      expect([seed, describeMet(result), result.differences]).toEqual([seed, describeMet(result), []]);
    }
    const { failed } = await enumerateFaults(plainHistoryOf(11, 'engine', ['ingest', 'apply'], 4), ['crash']);
    expect(failed.map(({ result }) => [describeMet(result), result.differences])).toEqual([]);
  }, 200_000);
});
