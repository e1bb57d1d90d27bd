import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@imart/core';
import { testAggregate } from '@imart/event-service';
import { loadAggregates } from './loadAggregates';

const ROOT = join(__dirname, '../../../..');
const EXAMPLE = join(ROOT, 'tools/examples/allowlist.cjs');
const WALLET = `0x${'1'.repeat(40)}`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'imart-aggregates-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function problemsOf(source: string): Promise<string> {
  const file = join(dir, `${Math.random()}.cjs`);
  writeFileSync(file, source);
  const error = await loadAggregates([file]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

describe('the example of aggregates', () => {
  it('takes as many as there are places, until it is closed', async () => {
    const [allowlist] = await loadAggregates([EXAMPLE]);
    const list = testAggregate(allowlist!);
    const opened = { name: 'Opened', data: { places: 1, left: 1 } };
    const joined = { name: 'Joined', data: { wallet: WALLET, left: 0 } };
    list
      .given([opened])
      .when({ name: 'Joined', data: { wallet: WALLET } })
      .then([joined])
      .thenState({ places: 1, closed: false, wallets: [WALLET] });
    list.given([]).when(joined).then({ refusedBy: 'opened-once' });
    list.given([opened]).when(opened).then({ refusedBy: 'opened-once' });
    list.given([opened, joined]).when(joined).then({ refusedBy: 'places-left' });
    list
      .given([opened, { name: 'Closed', data: { left: 1 } }])
      .when(joined)
      .then({ refusedBy: 'not-closed' });
  });

  it('is what the guide tells of', () => {
    expect(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')).toContain('tools/examples/allowlist.cjs');
  });
});

describe('a module of aggregates', () => {
  it('is told what is wrong with it, by the setting’s name', async () => {
    expect(await problemsOf('exports.other = []')).toContain('AGGREGATES: ');
    expect(await problemsOf('exports.other = []')).toContain('it must export "aggregates"');
    expect(await problemsOf('throw new Error("broken")')).toContain('broken');
    expect(await problemsOf('exports.aggregates = [{ type: "a", rules: [] }]')).toContain('a has no events');
    expect(await problemsOf('exports.aggregates = [{ type: "a", events: { B: {} } }]')).toContain(
      'event B has no schema',
    );
    expect(
      await problemsOf(
        'exports.aggregates = ({ z }) => [{ type: "Big", events: { B: { schema: z.object({}) } }, rules: [], reducer: { version: 1, initial: () => 0, fold: () => 0 } }]',
      ),
    ).toContain('lower-case words with hyphens');
  });

  it('defines no type that chains have, and none twice', async () => {
    const of = (type: string): string =>
      `({ z }) => ["${type}", "${type}"].map((type) => ({ type, events: { B: { schema: z.object({}) } }, rules: [], reducer: { version: 1, initial: () => 0, fold: () => 0 } }))`;
    expect(await problemsOf(`exports.aggregates = ${of('order')}`)).toContain(
      'chains have aggregates of the type order',
    );
    expect(await problemsOf(`exports.aggregates = ${of('lot')}`)).toContain('the type lot is defined twice');
  });

  it('that is not there is told with all others', async () => {
    const error = await loadAggregates(['./none.cjs', './nowhere.cjs']).catch((thrown: unknown) => thrown);
    expect((error as ConfigError).problems).toHaveLength(2);
  });
});
