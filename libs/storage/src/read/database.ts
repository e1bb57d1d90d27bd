import type { SeqNosOf } from '@imart/core';
import { PrismaPg } from '@prisma/adapter-pg';
import { Prisma, PrismaClient } from '../generated/client';
import { toReadError, UnknownSubjectError } from './errors';
import { IS_CHAIN } from './sql';

/** How {@link createReadDatabase} connects. */
export interface ReadDatabaseOptions {
  /** Holds a password: never logged. */
  readonly connectionString: string;
  /** How the SeqNos of the chains are made that the database may have. */
  readonly seqNosOf: SeqNosOf;
  /** Most connections at a time. @defaultValue `10` */
  readonly connectionsMax?: number;
  /** A query that takes longer fails with {@link QueryTimeoutError}. @defaultValue `10_000` */
  readonly queryTimeoutMs?: number;
  /** How long to wait for a connection. @defaultValue `5_000` */
  readonly connectTimeoutMs?: number;
}

/** Whatever answers statements. */
export interface Reads {
  /** Rows of one statement. Values go in as parameters of the template, never as text. */
  query<Row>(sql: Prisma.Sql): Promise<Row[]>;
  readonly seqNosOf: SeqNosOf;
}

/**
 * A connection for reading. It connects at the first query, and again after the database was away; every error of its
 * queries is one of ours as far as it is known.
 */
export interface ReadDatabase extends Reads {
  /**
   * Statements that all see the database of one moment (E7, E10): also where the connection string leads to several replicas, of which
   * some are behind, all of them go to one. `work` asks one after the other.
   */
  snapshot<T>(work: (db: Reads) => Promise<T>): Promise<T>;
  /** The typed client of the tables. Its own errors are Prisma's. */
  readonly client: PrismaClient;
  close(): Promise<void>;
}

const QUERY_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** More than any snapshot has. */
const SNAPSHOT_STATEMENTS_MAX = 8;

export function createReadDatabase(options: ReadDatabaseOptions): ReadDatabase {
  const adapter = new PrismaPg(
    {
      connectionString: options.connectionString,
      max: options.connectionsMax ?? 10,
      statement_timeout: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
      connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      application_name: 'imart-read',
      // The views' plans look costly and are not: compiling them took 1 s of a 5 ms query (PostgreSQL 15).
      options: '-c jit=off',
    },
    // An idle connection that breaks is replaced at the next query.
    { onPoolError: () => undefined, onConnectionError: () => undefined },
  );
  const client = new PrismaClient({ adapter, log: [], errorFormat: 'minimal' });
  const translated = async <T>(reading: () => Promise<T>): Promise<T> => {
    try {
      return await reading();
    } catch (error) {
      throw toReadError(error);
    }
  };
  const readsOf = (of: Pick<PrismaClient, '$queryRaw'>): Reads => ({
    query: <Row>(sql: Prisma.Sql) => translated(() => of.$queryRaw<Row[]>(sql)),
    seqNosOf: options.seqNosOf,
  });
  return {
    client,
    ...readsOf(client),
    snapshot: (work) =>
      translated(() =>
        client.$transaction((transaction) => work(readsOf(transaction)), {
          isolationLevel: 'RepeatableRead',
          maxWait: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
          // Each statement has its own bound; this one only ends what hangs between two of them.
          timeout: SNAPSHOT_STATEMENTS_MAX * (options.queryTimeoutMs ?? QUERY_TIMEOUT_MS),
        }),
      ),
    close: () => client.$disconnect(),
  };
}

/**
 * The number that the tables use for a subject.
 * @throws {UnknownSubjectError} none of that id is followed.
 */
export async function subjectNumber(db: Reads, subjectId: string): Promise<number> {
  const subjects = await db.query<{ id: number; subject_id: string }>(
    Prisma.sql`SELECT s.id::int AS id, s.subject_id FROM subjects s WHERE ${IS_CHAIN} ORDER BY subject_id`,
  );
  const found = subjects.find((subject) => subject.subject_id === subjectId);
  if (found !== undefined) return found.id;
  throw new UnknownSubjectError(
    subjectId,
    subjects.map((subject) => subject.subject_id),
  );
}
