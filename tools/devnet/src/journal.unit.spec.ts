import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action } from './actions';
import { openJournal } from './journal';

const action: Action = { kind: 'buy', by: '0x01', orderId: 2n ** 255n };
const at = { hash: '0xab', block: 7, firstLog: 3, time: 1_700_000_000 };

describe('the journal', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'imart-journal-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('gives back what was written, with its placements', () => {
    const file = join(directory, 'actions.jsonl');
    const journal = openJournal(file);
    journal.append([
      { nonce: 1, action },
      { nonce: 2, action },
    ]);
    journal.place([[1, at]]);
    expect(openJournal(file).entries).toEqual([
      { nonce: 1, action, placement: null },
      { nonce: 2, action, placement: at },
    ]);
  });

  it('forgets a line that was cut off in the middle', () => {
    const file = join(directory, 'actions.jsonl');
    openJournal(file).append([{ nonce: 1, action }]);
    appendFileSync(file, '{"nonce":2,"act');
    expect(openJournal(file).entries).toHaveLength(1);
  });

  it('goes on after a cut-off line as if it had not been there', () => {
    const file = join(directory, 'actions.jsonl');
    openJournal(file).append([{ nonce: 1, action }]);
    appendFileSync(file, '{"nonce":2,"act');
    openJournal(file).append([{ nonce: 3, action }]);
    expect(openJournal(file).entries.map(({ nonce }) => nonce)).toEqual([1, 3]);
  });

  it('keeps only the entries that replace it', () => {
    const file = join(directory, 'actions.jsonl');
    const journal = openJournal(file);
    journal.append([
      { nonce: 1, action },
      { nonce: 2, action },
    ]);
    journal.place([[0, at]]);
    journal.replace(journal.entries.slice(0, 1));
    expect(openJournal(file).entries).toEqual([{ nonce: 1, action, placement: at }]);
  });
});
