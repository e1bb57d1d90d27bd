import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../e2e/bundles';
import { createHistory, TABLES, type Row, type Table } from './history';
import { verifyRows } from './verifyRows';

describe('the benchmark of Aptos', () => {
  const history = createHistory(600, 3_000);

  it('reads a ledger over REST and over gRPC, and verifies every row', async () => {
    const args = [
      join(ROOT, 'tools/bench/bench.mjs'),
      '--case',
      'aptos',
      '--events',
      '600',
      '--transactions',
      '3000',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 300_000 });
    expect(stdout).toContain(
      `${history.events} events of the market in ${history.marketTransactions} of 3000`,
    );
    for (const source of ['rest', 'grpc']) {
      expect(stdout).toMatch(new RegExp(`${source} +floor +\\d+ transactions/s`));
      expect(stdout).toMatch(
        new RegExp(
          `${source} +worker +\\d+ transactions/s +\\d+ events/s .* peak RSS \\d+ MB .*\\n +verified: every row`,
        ),
      );
    }
  });

  it('ends with 2 on a case that there is not', () => {
    const { status, stderr } = spawnSync(process.execPath, [
      join(ROOT, 'tools/bench/bench.mjs'),
      '--case',
      'solana',
    ]);
    expect([status, String(stderr)]).toEqual([2, expect.stringContaining('there is no case "solana"')]);
  });

  it('notices one row that is wrong, missing or too much, in whichever table', async () => {
    const answer = (rows: Readonly<Record<Table, readonly Row[]>>) => (text: string) =>
      Promise.resolve(rows[TABLES.find((table) => new RegExp(`FROM ${table}\\b`).test(text)) as Table]);
    expect(await verifyRows(answer(history.rows), history.rows)).toEqual([]);
    for (const table of TABLES) {
      const rows = history.rows[table];
      expect(rows.length).toBeGreaterThan(20);
      const at = rows.length - 5;
      for (let column = 0; column < (rows[at] as Row).length; column++) {
        const wrong = rows.map((row, i) =>
          i === at ? row.map((cell, c) => (c === column ? 'wrong' : cell)) : row,
        );
        expect(await verifyRows(answer({ ...history.rows, [table]: wrong }), history.rows)).toEqual([
          expect.stringMatching(new RegExp(`^${table} .*: row ${at}, column ${column}: wrong, expected `)),
        ]);
      }
      for (const changed of [rows.slice(0, -1), [...rows, rows[0] as Row], []]) {
        const problems = await verifyRows(answer({ ...history.rows, [table]: changed }), history.rows);
        expect(problems).toHaveLength(1);
      }
    }
  });

  it('has as many events and transactions as it says, the same each time', () => {
    const again = createHistory(600, 3_000);
    expect(again.rows).toEqual(history.rows);
    expect(history.rows.activities).toHaveLength(history.events);
    const slots = Array.from({ length: 3_000 }, (_, index) => history.at(index));
    expect(slots.filter((slot) => typeof slot === 'object')).toHaveLength(history.marketTransactions);
    expect(() => createHistory(600, 500)).toThrow(RangeError);
  });
});
