import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
import {
  createCursorCodec,
  limitOf,
  toPage,
  type CursorCodec,
  type CursorPart,
  type Page,
  type PageRequest,
} from './page';
import { isoTime, oneOf, where } from './sql';

/** A column of what names a row within its subject. */
interface NameColumn {
  readonly column: string;
  readonly type: 'text' | 'numeric';
}

/** A table whose rows have a name, and how they are read. All of it is ours, never a caller's text. */
export interface NamedTable {
  readonly table: string;
  /** In the order of the primary key, after the subject. */
  readonly name: readonly NameColumn[];
  /** Of `r`, the table, and `s`, the row of `subject_view`: what a record holds beside the subject. */
  readonly columns: string;
  /** Tables beside it; they add no rows. */
  readonly joins?: string;
  /** `newest`: last made first. `name`: by name. One subject after the other. */
  readonly order: 'newest' | 'name';
}

interface SortColumns {
  readonly sortSubject: string;
  readonly sortTime: string;
  readonly sortName: readonly string[];
}

/** Reads the rows of one {@link NamedTable}. */
export interface NamedReader<Item> {
  /** @throws {UnknownSubjectError} @throws {CursorError} */
  list(
    db: Reads,
    page: PageRequest & { readonly subject?: string | undefined },
    conditions: readonly Prisma.Sql[],
  ): Promise<Page<Item>>;
  /** `null`: there is none of this name. @throws {UnknownSubjectError} */
  find(db: Reads, subject: string, name: readonly string[]): Promise<Item | null>;
}

export function readerOf<Item extends object>(table: NamedTable): NamedReader<Item> {
  const { table: from, name, order, joins = '' } = table;
  const isNewest = order === 'newest';
  const codec = cursorsOf(table);
  const keys = name.map(({ column }) => `r.${column}`);
  const sorted = ['r.subject', ...(isNewest ? ['r.created_at'] : []), ...keys];
  const select = Prisma.raw(`
    SELECT s.subject_id AS "subject", ${table.columns},
      ${isoTime('r.created_at')} AS "createdAt", ${isoTime('r.updated_at')} AS "updatedAt", r.seq_no::text AS "seqNo",
      r.subject::text AS "sortSubject", COALESCE(${isoTime('r.created_at')}, 'infinity') AS "sortTime",
      json_build_array(${keys.map((key) => `${key}::text`).join(', ')}) AS "sortName"
    FROM ${from} r JOIN subject_view s ON s.subject = r.subject ${joins}`);
  const orderBy = Prisma.raw(sorted.map((column) => `${column}${isNewest ? ' DESC' : ''}`).join(', '));

  /**
   * Conditions of what follows the cursor's row in its own subject, and of the subjects after it. They are read apart: of a
   * comparison that begins with the subject, PostgreSQL believes that next to nothing meets it, and reads the whole table.
   */
  const after = (cursor: string): { readonly here: Prisma.Sql[]; readonly beyond: Prisma.Sql[] } => {
    const [subject, ...values] = codec.decode(cursor);
    const types = [...(isNewest ? ['timestamptz'] : []), ...name.map(({ type }) => type)];
    const place = values.map((part, i) => Prisma.sql`${part}::${Prisma.raw(types[i] ?? '')}`);
    const sign = Prisma.raw(isNewest ? '<' : '>');
    return {
      here: [
        Prisma.sql`r.subject = ${subject}::smallint`,
        Prisma.sql`(${Prisma.raw(sorted.slice(1).join(', '))}) ${sign} (${Prisma.join(place)})`,
      ],
      beyond: [Prisma.sql`r.subject ${sign} ${subject}::smallint`],
    };
  };

  return {
    async list(db, page, conditions) {
      const limit = limitOf(page);
      const all = [...conditions];
      if (page.subject !== undefined) {
        all.push(Prisma.sql`r.subject = ${await subjectNumber(db, page.subject)}`);
      }
      const read = (more: readonly Prisma.Sql[], rowsMax: number) =>
        db.query<Item & SortColumns>(
          Prisma.sql`${select} ${where([...all, ...more])} ORDER BY ${orderBy} LIMIT ${rowsMax}`,
        );
      const place = page.cursor === undefined ? null : after(page.cursor);
      const rows = await read(place?.here ?? [], limit + 1);
      if (place !== null && page.subject === undefined && rows.length <= limit) {
        rows.push(...(await read(place.beyond, limit + 1 - rows.length)));
      }
      return toPage(
        rows,
        limit,
        codec,
        (row) => [row.sortSubject, ...(isNewest ? [row.sortTime] : []), ...row.sortName],
        withoutSort,
      );
    },
    async find(db, subject, values) {
      const conditions = [
        Prisma.sql`r.subject = ${await subjectNumber(db, subject)}`,
        ...name.map(
          ({ column, type }, i) =>
            Prisma.sql`${Prisma.raw(`r.${column}`)} = ${values[i]}::${Prisma.raw(type)}`,
        ),
      ];
      const [row] = await db.query<Item & SortColumns>(Prisma.sql`${select} ${where(conditions)}`);
      return row === undefined ? null : withoutSort(row);
    },
  };
}

function cursorsOf({ table, name, order }: NamedTable): CursorCodec {
  const parts = name.map(({ type }): CursorPart => (type === 'text' ? 'text' : 'number'));
  return createCursorCodec(table, ['subject', ...(order === 'newest' ? (['time'] as const) : []), ...parts]);
}

function withoutSort<Item extends object>(row: Item & SortColumns): Item {
  const { sortSubject: _subject, sortTime: _time, sortName: _name, ...item } = row;
  return item as unknown as Item;
}

/** A condition for each column that has a value: equal to it, one of them where it is a list. */
export function matching(
  values: Readonly<Record<string, string | readonly string[] | undefined>>,
): Prisma.Sql[] {
  return Object.entries(values).flatMap(([column, value]) => {
    if (value === undefined) return [];
    return typeof value === 'string'
      ? [Prisma.sql`${Prisma.raw(column)} = ${value}`]
      : [oneOf(column, value)];
  });
}

/** The same for columns of numbers, given as decimal text. */
export function matchingNumbers(values: Readonly<Record<string, string | undefined>>): Prisma.Sql[] {
  return Object.entries(values).flatMap(([column, value]) =>
    value === undefined ? [] : [Prisma.sql`${Prisma.raw(column)} = ${value}::numeric`],
  );
}
