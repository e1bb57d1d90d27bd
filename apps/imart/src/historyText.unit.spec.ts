import { historyTable, type ToldRecord } from './historyText';

const base = {
  subject: 'eip155:1',
  actedAt: '2026-01-02T03:04:05.678Z',
  actedBy: 'ada',
  reason: null,
  rewind: null,
  halt: null,
  parked: null,
} as const;
const halt = { code: 'REORG_TOO_DEEP', message: 'too deep', haltedAt: '2026-01-02T03:00:00.000Z' };
const rewound = { toPosition: 5n, events: 12n, nextPosition: 6n, finishedAt: '2026-01-02T03:04:06.000Z' };
const lineOf = (record: ToldRecord): string =>
  (historyTable([record]).split('\n')[2] ?? '').split(/ {2,}/).slice(2).join(' | ');

describe('what operators did', () => {
  it.each<[Partial<ToldRecord>, string]>([
    [{ action: 'rewind', rewind: rewound }, 'ada | rewind to 5 | 12 events taken back, read again from 6 on'],
    [
      { action: 'rewind', rewind: rewound, halt, reason: 'it went back' },
      'ada | rewind to 5 | 12 events taken back, read again from 6 on, REORG_TOO_DEEP cleared | it went back',
    ],
    [
      { action: 'rewind', rewind: { ...rewound, finishedAt: null, nextPosition: null, events: 0n } },
      'ada | rewind to 5 | not finished, 0 events taken back',
    ],
    [{ action: 'resume', halt, reason: 'mended' }, 'ada | resume | REORG_TOO_DEEP cleared | mended'],
    [
      { action: 'skip', parked: { aggregateType: 'order', aggregateId: '0xa:7', outcome: 'released' } },
      'ada | skip order/0xa:7 | released',
    ],
  ])('are one line each', (record, line) => {
    expect(lineOf({ ...base, action: 'resume', ...record })).toBe(line);
  });

  it('may be nothing', () => {
    expect(historyTable([])).toBe('nothing was done\n');
  });
});
