import { isZeroAddress } from '@imart/market';
import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
import { createCursorCodec, limitOf, toPage, type Page, type PageRequest } from './page';
import { isoTime } from './sql';

/** The least unit price of the live listings in one currency. */
export interface FloorRecord {
  readonly currency: string | null;
  readonly unitPrice: string;
  readonly listedCount: string;
}

/** What was paid in one currency. */
export interface VolumeRecord {
  readonly currency: string | null;
  readonly amount: string;
  readonly saleCount: string;
}

/** What its factory said of a collection. */
export interface CollectionMetadata {
  readonly factory: string;
  readonly creator: string;
  readonly name: string;
  /** Hex of the name's bytes where they are no valid text. */
  readonly nameBytes: string | null;
  readonly category: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly uri: string;
  readonly royalties: readonly { readonly payee: string; readonly rate: string }[];
  readonly maximum: string | null;
  readonly createdAt: string;
}

export interface CollectionRecord {
  readonly subject: string;
  readonly address: string;
  readonly standard: string | null;
  /** Null when no followed factory made it. */
  readonly metadata: CollectionMetadata | null;
  readonly tokenCount: string;
  readonly ownerCount: string;
  readonly listedCount: string;
  readonly listedTokenCount: string;
  /** The floor in native coin. */
  readonly floor: string | null;
  readonly floors: readonly FloorRecord[];
  readonly saleCount: string;
  /** The volume in native coin. */
  readonly volume: string;
  readonly volumes: readonly VolumeRecord[];
  readonly lastSaleAt: string | null;
}

export interface CollectionFilter extends PageRequest {
  readonly subject?: string | undefined;
}

interface CollectionDbRow {
  readonly sortSubject: string;
  readonly subject: string;
  readonly address: string;
  readonly standard: string | null;
  readonly factory: string | null;
  readonly creator: string | null;
  readonly name: string | null;
  readonly nameBytes: string | null;
  readonly category: string | null;
  readonly tags: string | null;
  readonly description: string | null;
  readonly uri: string | null;
  readonly royalties: string | null;
  readonly maximum: string | null;
  readonly createdAt: string | null;
  readonly tokenCount: string;
  readonly ownerCount: string;
  readonly listedCount: string;
  readonly listedTokenCount: string;
  readonly floors: readonly { currency: string | null; unit_price: string; listed_count: number }[];
  readonly saleCount: string;
  readonly volumes: readonly { currency: string | null; amount: string; sale_count: number }[];
  readonly lastSaleAt: string | null;
}

const COLUMNS = Prisma.raw(`
  v.subject_id AS "subject", v.address, v.standard, v.factory, v.creator, v.name, v.name_bytes AS "nameBytes",
  v.category, v.tags, v.description, v.uri, v.royalties, v.maximum::text AS "maximum",
  ${isoTime('v.created_at')} AS "createdAt", v.token_count::text AS "tokenCount", v.owner_count::text AS "ownerCount",
  v.listed_count::text AS "listedCount", v.listed_token_count::text AS "listedTokenCount", v.floors,
  v.sale_count::text AS "saleCount", v.volumes, ${isoTime('v.last_sale_at')} AS "lastSaleAt",
  v.subject::text AS "sortSubject"`);

const cursors = createCursorCodec('collections', ['subject', 'text']);

/** Where collections are named; each gives the next address behind one by its index, without reading what lies between. */
const SOURCES = [
  ['collections', 'address'],
  ['tokens', 'collection'],
  ['balances', 'collection'],
  ['orders', 'collection'],
  ['offers', 'collection'],
  ['activities', 'collection'],
] as const;

const NEXT_ADDRESS = SOURCES.map(
  ([table, column]) =>
    `(SELECT x.${column} AS address FROM ${table} x WHERE x.subject = s.id AND x.${column} > b.address ORDER BY x.${column} LIMIT 1)`,
).join(' UNION ALL ');

/** By subject and address. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listCollections(db: Reads, filter: CollectionFilter): Promise<Page<CollectionRecord>> {
  const limit = limitOf(filter);
  const only = filter.subject === undefined ? null : await subjectNumber(db, filter.subject);
  const [afterSubject = '0', afterAddress = ''] =
    filter.cursor === undefined ? [] : cursors.decode(filter.cursor);
  const rows = await db.query<CollectionDbRow>(Prisma.sql`
    WITH RECURSIVE page AS (
      SELECT ${afterSubject}::smallint AS subject, ${afterAddress}::text AS address, 0 AS place
      UNION ALL
      SELECT following.subject, following.address, page.place + 1
      FROM page CROSS JOIN LATERAL (
        SELECT s.id AS subject, nearest.address
        FROM subjects s
        CROSS JOIN LATERAL (SELECT CASE WHEN s.id = page.subject THEN page.address ELSE '' END AS address) b
        CROSS JOIN LATERAL (SELECT min(candidates.address) AS address FROM (${Prisma.raw(NEXT_ADDRESS)}) candidates) nearest
        WHERE s.id >= page.subject AND nearest.address IS NOT NULL
          AND (${only}::int IS NULL OR s.id = ${only}::int)
        ORDER BY s.id LIMIT 1
      ) following
      WHERE page.place <= ${limit}
    )
    SELECT ${COLUMNS} FROM page k CROSS JOIN LATERAL (
      SELECT * FROM collection_view c WHERE c.subject = k.subject AND c.address = k.address OFFSET 0
    ) v WHERE k.place > 0 ORDER BY k.place`);
  return toPage(rows, limit, cursors, (row) => [row.sortSubject, row.address], toRecord);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findCollection(
  db: Reads,
  key: { readonly subject: string; readonly collection: string },
): Promise<CollectionRecord | null> {
  const subject = await subjectNumber(db, key.subject);
  const rows = await db.query<CollectionDbRow>(Prisma.sql`
    SELECT ${COLUMNS} FROM collection_view v WHERE v.subject = ${subject} AND v.address = ${key.collection}`);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

function toRecord(row: CollectionDbRow): CollectionRecord {
  return {
    subject: row.subject,
    address: row.address,
    standard: row.standard,
    metadata: metadataOf(row),
    tokenCount: row.tokenCount,
    ownerCount: row.ownerCount,
    listedCount: row.listedCount,
    listedTokenCount: row.listedTokenCount,
    floor: row.floors.find(({ currency }) => isZeroAddress(currency))?.unit_price ?? null,
    floors: row.floors.map((floor) => ({
      currency: floor.currency,
      unitPrice: floor.unit_price,
      listedCount: String(floor.listed_count),
    })),
    saleCount: row.saleCount,
    volume: row.volumes.find(({ currency }) => isZeroAddress(currency))?.amount ?? '0',
    volumes: row.volumes.map((volume) => ({
      currency: volume.currency,
      amount: volume.amount,
      saleCount: String(volume.sale_count),
    })),
    lastSaleAt: row.lastSaleAt,
  };
}

function metadataOf(row: CollectionDbRow): CollectionMetadata | null {
  if (row.factory === null) return null;
  const royalties = JSON.parse(row.royalties ?? '[]') as { payee: string; rate: string | number }[];
  return {
    factory: row.factory,
    creator: row.creator ?? '',
    name: row.name ?? '',
    nameBytes: row.nameBytes,
    category: row.category ?? '',
    tags: JSON.parse(row.tags ?? '[]') as string[],
    description: row.description ?? '',
    uri: row.uri ?? '',
    royalties: royalties.map(({ payee, rate }) => ({ payee, rate: String(rate) })),
    maximum: row.maximum,
    createdAt: row.createdAt ?? '',
  };
}
