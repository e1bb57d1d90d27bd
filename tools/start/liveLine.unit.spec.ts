import { liveLine, sampleOf } from './liveLine';

const metrics = (values: Record<string, number>): string =>
  Object.entries(values)
    .map(([name, value]) => `# HELP imart_${name} x\n# TYPE imart_${name} gauge\nimart_${name} ${value}`)
    .join('\n');

const page = { head_block: 120, ingested_block: 119, executed_block: 118, executed_events_total: 50 };

describe('the live line', () => {
  it('shows head, ingested, executed, lag and the rate between two looks', () => {
    const before = sampleOf(metrics(page), 1_000);
    const now = sampleOf(metrics({ ...page, executed_events_total: 65 }), 3_000);
    expect(before).not.toBeNull();
    expect(now).not.toBeNull();
    if (before === null || now === null) return;
    expect(liveLine(before, now)).toBe(
      'head 120  ingested 119  executed 118  lag 2 blocks  7.5 events/s  65 events',
    );
    expect(liveLine(before, now, ['version', 'versions'])).toContain('lag 2 versions  ');
  });

  it('is not made from a page that lacks a number', () => {
    expect(sampleOf(metrics({ head_block: 1 }), 0)).toBeNull();
  });
});
