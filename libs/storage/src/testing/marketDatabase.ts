import { join } from 'node:path';
import { Pool, type PoolConfig } from 'pg';
import { createSeqNoCodec, type Activity, type AggregateKey, type SeqNo, type StateRow } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import type { OperatorAction, ParkAction, ParkMarker, SubjectStore } from '@imart/pipeline';
import type { ScratchDatabase } from '../embedded/scratchDatabase';
import { migrate } from '../migrate';
import { HALT_COLUMNS, haltOf, type HaltCells } from '../subject/halt';
import { createSubjectStore } from '../subject/createSubjectStore';
import { marketJson, marketTables, rowKey } from '../subject/marketTables';
import { openSubject } from '../subject/openSubject';
import { readRow, selectList } from '../subject/tables';
import { applyViews } from '../views';
import type { TestServer } from './testDatabase';

const PRISMA = join(__dirname, '../../../../prisma');

export const VIEWS_FILE = join(PRISMA, 'views.sql');

/** Everything that is committed of a subject, as the test kit's store in memory tells it. */
export interface StoreContents {
  readonly rows: readonly StateRow[];
  readonly activities: readonly (Omit<Activity, 'event'> & { readonly seqNo: SeqNo })[];
  readonly parked: readonly ParkMarker[];
}

/** What a store keeps besides its contents, as the test kit's store in memory tells it. */
export interface StoreKept {
  readonly parkActions: readonly ParkAction[];
  readonly operatorActions: readonly OperatorAction[];
  readonly skipped: readonly SeqNo[];
  readonly snapshots: readonly (AggregateKey & { readonly seqNo: SeqNo })[];
  readonly parkedAt: readonly string[];
}

/** A migrated database for the specs of one file. */
export interface MarketDatabase {
  readonly database: ScratchDatabase;
  readonly pool: Pool;
  /** Connections of the database as its own user, for what goes behind the store's back. */
  createPool(config?: PoolConfig): Pool;
  /** Empties all tables. */
  clear(): Promise<void>;
  /** Registers the subject, at its first call, and opens its store. */
  open(subjectId: SubjectStore['subjectId'], lanes: number, pool?: Pool): Promise<SubjectStore>;
  contents(subjectId: SubjectStore['subjectId']): Promise<StoreContents>;
  kept(subjectId: SubjectStore['subjectId']): Promise<StoreKept>;
  close(): Promise<void>;
}

export async function createMarketDatabase(server: TestServer): Promise<MarketDatabase> {
  const database = await server.createDatabase();
  const pools: Pool[] = [];
  const createPool = (config: PoolConfig = {}): Pool => {
    const pool = new Pool({ connectionString: database.url, max: 8, ...config });
    // An idle connection that is cut is replaced at the next use.
    pool.on('error', () => undefined);
    pools.push(pool);
    return pool;
  };
  const pool = createPool();
  await migrate(pool, join(PRISMA, 'migrations'));
  await applyViews(pool, VIEWS_FILE);
  const { rows } = await pool.query(
    `SELECT string_agg(quote_ident(tablename), ', ') AS names FROM pg_tables
     WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'`,
  );
  const { names } = rows[0] as { names: string };
  return {
    database,
    pool,
    createPool,
    async clear() {
      await pool.query(`TRUNCATE ${names} RESTART IDENTITY`);
    },
    async open(subjectId, lanes, own = pool) {
      const { subject } = await openSubject(own, {
        identity: { subjectId, genesisHash: '0x00' },
        observer: 'market',
        lanes,
        startPosition: 0n,
        followed: '',
      });
      return createSubjectStore({
        pool: own,
        subject,
        lanes,
        observer: { name: 'market', subjectId, reducers: marketReducers },
        codec: marketEventCodec,
        seqNos: createSeqNoCodec({ positionBits: 32, indexBits: 17, partBits: 14 }),
      });
    },
    contents: (subjectId) => readContents(pool, subjectId),
    kept: (subjectId) => readKept(pool, subjectId),
    async close() {
      await Promise.all(pools.map((one) => one.end()));
    },
  };
}

type Cells = Readonly<Record<string, string | number | null>>;

const quantity = (cell: Cells[string] | undefined): bigint | null =>
  cell === null || cell === undefined ? null : BigInt(cell);

/** All tables of a subject, in the form and the order of the store in memory. */
async function readContents(pool: Pool, subjectId: string): Promise<StoreContents> {
  const subject = `(SELECT id FROM subjects WHERE subject_id = '${subjectId}')`;
  const states: StateRow[] = [];
  for (const table of marketTables.values()) {
    const { rows } = await pool.query(
      `SELECT ${selectList(table, 't')} FROM "${table.name}" t WHERE subject = ${subject}`,
    );
    for (const row of rows as Cells[]) states.push(readRow(table, row, rowKey(table, row), marketJson));
  }
  const name = (row: StateRow): string => `${row.table}/${row.key}`;
  const { rows: activities } = await pool.query(
    `SELECT * FROM activities WHERE subject = ${subject} ORDER BY seq_no, item`,
  );
  const { rows: parked } = await pool.query(
    `SELECT * FROM park_markers WHERE subject = ${subject} ORDER BY from_seq_no`,
  );
  return {
    rows: states.sort((a, b) => (name(a) < name(b) ? -1 : 1)),
    activities: (activities as Cells[]).map(
      (row) =>
        ({
          item: row['item'],
          kind: row['kind'],
          market: row['market'],
          contract: row['contract'],
          orderId: row['order_id'],
          side: row['side'],
          collection: row['collection'],
          tokenId: quantity(row['token_id']),
          quantity: quantity(row['quantity']),
          from: row['from_address'],
          to: row['to_address'],
          price: quantity(row['price']),
          currency: row['currency'],
          fees: quantity(row['fees']),
          royalties: quantity(row['royalties']),
          itemCount: row['item_count'],
          seqNo: quantity(row['seq_no']),
        }) as unknown as Omit<Activity, 'event'> & { seqNo: SeqNo },
    ),
    parked: (parked as Cells[]).map((row): ParkMarker => ({
      aggregateType: String(row['aggregate_type']),
      aggregateId: String(row['aggregate_id']),
      fromSeqNo: quantity(row['from_seq_no']) as SeqNo,
      code: String(row['code']),
      message: String(row['message']),
    })),
  };
}

async function readKept(pool: Pool, subjectId: string): Promise<StoreKept> {
  const subject = `(SELECT id FROM subjects WHERE subject_id = '${subjectId}')`;
  const all = async (table: string, order: string): Promise<readonly Cells[]> =>
    (await pool.query(`SELECT * FROM ${table} WHERE subject = ${subject} ORDER BY ${order}`)).rows as Cells[];
  const keyOf = (row: Cells): AggregateKey => ({
    aggregateType: String(row['aggregate_type']),
    aggregateId: String(row['aggregate_id']),
  });
  return {
    parkActions: (await all('park_actions', 'id')).map(
      (row) =>
        ({
          ...keyOf(row),
          fromSeqNo: quantity(row['from_seq_no']),
          action: row['action'],
          outcome: row['outcome'],
          actedBy: row['acted_by'],
          reason: row['reason'],
        }) as ParkAction,
    ),
    operatorActions: (await all(`(SELECT *, ${HALT_COLUMNS} FROM operator_actions) a`, 'id')).map(
      (row) =>
        ({
          action: row['action'],
          actedBy: row['acted_by'],
          reason: row['reason'],
          toPosition: quantity(row['to_position']),
          halt: haltOf(row as unknown as HaltCells),
          events: quantity(row['events']),
          nextPosition: quantity(row['next_position']),
          isFinished: row['finished_at'] !== null,
        }) as OperatorAction,
    ),
    skipped: (await all('skipped_events', 'seq_no')).map((row) => quantity(row['seq_no']) as SeqNo),
    snapshots: (await all('snapshots', 'seq_no')).map((row) => ({
      ...keyOf(row),
      seqNo: quantity(row['seq_no']) as SeqNo,
    })),
    // As text: a Date forgets microseconds, in which a time may change.
    parkedAt: (await all('(SELECT *, parked_at::text AS since FROM park_markers) m', 'from_seq_no')).map(
      (row) => String(row['since']),
    ),
  };
}
