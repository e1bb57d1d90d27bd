import type { Connection, PoolClient, Submittable } from 'pg';
import type { TextRow } from '../subject/script';
import { statementName } from './prepared';

/** A statement and its parameters: numbers, text, and lists of them. */
export interface Step {
  readonly statement: string;
  readonly values?: readonly unknown[];
}

/** What each connection has planned already. */
const planned = new WeakMap<object, Set<string>>();

/** A parameter as the server reads it. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) return String(value);
  const cells = value.map((cell: unknown) =>
    cell === null || cell === undefined ? 'NULL' : `"${String(cell).replace(/["\\]/g, String.raw`\$&`)}"`,
  );
  return `{${cells.join(',')}}`;
}

/** A query object of the driver's: the methods are what the driver calls. */
class RoundTrip implements Submittable {
  private columns: readonly string[] = [];
  private rows: TextRow[] = [];
  private readonly results: (readonly TextRow[])[] = [];
  private plannedHere: () => void = () => undefined;

  constructor(
    private readonly steps: readonly Step[],
    private readonly resolve: (results: readonly (readonly TextRow[])[]) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  submit(connection: Connection): void {
    const known = planned.get(connection) ?? new Set<string>();
    planned.set(connection, known);
    const names = this.steps.map(({ statement }) => `trip_${statementName(statement)}`);
    connection.stream.cork();
    this.steps.forEach(({ statement, values = [] }, i) => {
      const name = names[i] as string;
      if (!known.has(name) && names.indexOf(name) === i) {
        // One that failed before may be there, or not: which of them were planned then was not told.
        connection.close({ type: 'S', name }, true);
        connection.parse({ name, text: statement, types: [] }, true);
      }
      connection.bind({ statement: name, values: values.map(parameterText) }, true);
      connection.describe({ type: 'P', name: '' }, true);
      connection.execute({ portal: '', rows: '' }, true);
    });
    connection.sync();
    connection.stream.uncork();
    this.plannedHere = () => names.forEach((name) => known.add(name));
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly name: string }[] }): void {
    this.columns = fields.map(({ name }) => name);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.rows.push(Object.fromEntries(this.columns.map((name, i) => [name, fields[i] ?? null])));
  }

  handleCommandComplete(): void {
    this.results.push(this.rows);
    this.rows = [];
  }

  handleReadyForQuery(): void {
    this.plannedHere();
    this.resolve(this.results);
  }

  handleError(error: Error): void {
    this.reject(error);
  }
}

/**
 * Runs statements one after the other in one way to the server and back, each planned once for the connection. Each sees what was
 * committed before it began, as if it had been sent by itself. The first that fails ends all; the connection can be used on.
 * @returns the rows that each statement gave, in their order, every value as text.
 */
export function runRoundTrip(
  client: PoolClient,
  steps: readonly Step[],
): Promise<readonly (readonly TextRow[])[]> {
  return new Promise((resolve, reject) => {
    const sent: unknown = client.query(new RoundTrip(steps, resolve, reject));
    // A connection that has something to write first may fail at that.
    if (sent instanceof Promise) sent.catch(reject);
  });
}
