import type { Pool } from 'pg';
import { stockItem, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let commands: CommandDatabase;

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
});
afterAll(async () => {
  await commands?.close();
  await server?.stop();
});
beforeEach(() => commands.clear());

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Parent Relationship'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Something of each type of parameter. */
const SAMPLES: Readonly<Record<string, string>> = {
  smallint: '1',
  integer: '1',
  bigint: '1',
  text: `'x'`,
  boolean: 'true',
  'double precision': '1',
  'bigint[]': `'{1}'`,
  'text[]': `'{x}'`,
  'boolean[]': `'{f}'`,
};

/** Nodes that read tables, of the plans that the connections of a pool keep. */
async function readingNodes(pool: Pool): Promise<readonly (PlanNode & { readonly statement: string })[]> {
  const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
  const found: (PlanNode & { statement: string })[] = [];
  const names = new Set<string>();
  for (const client of clients) {
    await client.query('SET plan_cache_mode = force_generic_plan');
    const { rows } = await client.query(
      `SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements WHERE name LIKE 'imart%'`,
    );
    for (const { name, types } of rows as { name: string; types: string[] }[]) {
      names.add(name);
      const values = types.map((type) => SAMPLES[type] as string).join(', ');
      const plan = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE ${name} (${values})`);
      const visit = (node: PlanNode): void => {
        if (node['Relation Name'] !== undefined && node['Node Type'] !== 'ModifyTable')
          found.push({ ...node, statement: name });
        node.Plans?.forEach(visit);
      };
      visit((plan.rows[0] as { 'QUERY PLAN': { Plan: PlanNode }[] })['QUERY PLAN'][0]?.Plan as PlanNode);
    }
    client.release();
  }
  expect([...names].sort()).toEqual([
    'imart_append',
    'imart_mark',
    'imart_read_events',
    'imart_read_for_requests',
    'imart_sources_executed_4',
    'imart_sources_latest',
    'imart_sources_seq_no',
    'imart_sources_time',
  ]);
  return found;
}

async function useEverything(parts: CommandParts<StockState, StockEvents>, id: string): Promise<void> {
  const asked = { type: 'stock-item', id, name: 'Added', data: { quantity: 1 } } as const;
  await parts.service.request(asked);
  await parts.drain();
  await parts.service.request(asked);
  const [event] = await parts.reads.readEvents(id, 0, 10);
  const { seqNo, source } = event as NonNullable<typeof event>;
  await parts.store.subject.loadStates([{ aggregateType: 'stock-item', aggregateId: id }]);
  await parts.reads.readStateSource(id, { kind: 'latest' });
  await parts.reads.readStateSource(id, { kind: 'seqNo', seqNo });
  await parts.reads.readStateSource(id, { kind: 'time', timeUs: source.timeUs });
}

it.each([
  ['empty', async (): Promise<void> => undefined],
  [
    'small',
    async () => {
      const parts = await commands.open(stockItem);
      for (const id of ['a', 'b', 'c']) await useEverything(parts, id);
    },
  ],
] as const)(
  'plans that were made while tables were %s look single aggregates up, so that they hold when tables are large',
  async (_size, prepare) => {
    await prepare();
    await commands.pool.query('VACUUM ANALYZE');
    const pool = commands.createPool();
    await useEverything(await commands.open(stockItem, { pool }), 'pen');
    for (const node of await readingNodes(pool)) {
      const { statement, 'Node Type': type, 'Relation Name': table, 'Index Cond': condition = '' } = node;
      const what = `${statement}: ${type} of ${table}, ${condition}`;
      // One row; or as many as operators have skipped.
      if (['subjects', 'skipped_events'].includes(table ?? '')) continue;
      expect(what).toMatch(/Index (Only )?Scan/);
      // What waits first is the first of the subject.
      if (table === 'command_outbox' && condition === '(subject = $1)') continue;
      expect(what).toMatch(/(aggregate_id|idempotency_key|seq_no|lane|id) = /);
    }
  },
);
