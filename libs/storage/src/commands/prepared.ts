import { escapeLiteral, type PoolClient } from 'pg';
import { runRawScript, textRows, type RawResult, type TextRow } from '../subject/script';

/** A statement that each connection parses and plans once. Its parameters are `$1`, `$2`, ... as ever. */
export interface PreparedStatement {
  /** Unique among all of them. */
  readonly name: string;
  /** Of the parameters, in their order. */
  readonly types: readonly string[];
  readonly text: string;
}

type Scalar = string | number | bigint | boolean | null;

/** A parameter's value. */
export type PreparedValue = Scalar | readonly Scalar[];

function literalOf(value: PreparedValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return escapeLiteral(value);
  return typeof value === 'object' ? arrayLiteral(value) : String(value);
}

/** An array as one constant: the parser looks at it once, however long it is. */
const arrayLiteral = (values: readonly Scalar[]): string =>
  escapeLiteral(
    `{${values
      .map((value) =>
        typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value ?? 'NULL'),
      )
      .join(',')}}`,
  );

/** Names that each connection knows. */
const known = new WeakMap<object, Set<string>>();

const UNKNOWN_STATEMENT = '26000';

/**
 * Plans are made once, without looking at the values, and stay while tables grow from nothing to millions of rows: they look into an index for
 * each value, also where a table is so small by now that reading all of it would cost less.
 */
const SETTINGS = 'SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off';

export interface ExecuteOptions {
  /** Statements before it, in the same transaction. @defaultValue none */
  readonly first?: readonly string[];
  /** Longest wait for a lock. @defaultValue as long as it takes */
  readonly lockTimeoutMs?: number;
}

/**
 * Runs a statement in a transaction of its own, in one way to the server and back. After a failure the connection is in a transaction that
 * has failed.
 */
export async function executePrepared(
  client: PoolClient,
  statement: PreparedStatement,
  values: readonly PreparedValue[],
  options: ExecuteOptions = {},
): Promise<readonly TextRow[]> {
  return textRows(await executeRaw(client, statement, values, options));
}

/** As {@link executePrepared}, for many rows. */
export async function executeRaw(
  client: PoolClient,
  statement: PreparedStatement,
  values: readonly PreparedValue[],
  { first = [], lockTimeoutMs }: ExecuteOptions = {},
): Promise<RawResult> {
  const execute = async (): Promise<RawResult> => {
    await prepare(client, statement);
    const results = await runRawScript(
      client,
      [
        'BEGIN',
        SETTINGS,
        ...(lockTimeoutMs === undefined ? [] : [`SET LOCAL lock_timeout = ${lockTimeoutMs}`]),
        ...first,
        executeStatement(statement, values),
        'COMMIT',
      ].map((text) => ({ statement: text })),
    );
    return results.at(-2) as RawResult;
  };
  try {
    return await execute();
  } catch (error) {
    // Somebody between has given us another session.
    if ((error as { code?: unknown }).code !== UNKNOWN_STATEMENT) throw error;
    known.delete(client);
    await client.query('ROLLBACK');
    return execute();
  }
}

const executeStatement = ({ name }: PreparedStatement, values: readonly PreparedValue[]): string =>
  `EXECUTE ${name} (${values.map(literalOf).join(', ')})`;

async function prepare(client: PoolClient, { name, types, text }: PreparedStatement): Promise<void> {
  let names = known.get(client);
  if (names === undefined) known.set(client, (names = new Set()));
  if (names.has(name)) return;
  await client.query(`PREPARE ${name} (${types.join(', ')}) AS ${text}`);
  names.add(name);
}
