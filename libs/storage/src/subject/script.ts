import type { ClientBase, Connection, Submittable } from 'pg';

/**
 * COPY text in pieces. Each piece is bytes as soon as it is made: one long text, put together of a hundred thousand cells,
 * would keep all of them in memory until it is sent.
 */
export type CopyText = readonly Buffer[];

/** A statement without parameters; of a `COPY ... FROM STDIN`, what it reads. */
export interface ScriptStep {
  readonly statement: string;
  readonly text?: CopyText;
}

/** A row as the server told it: every value as text. */
export type TextRow = Readonly<Record<string, string | null>>;

/** What a statement gave, as it was sent: names of columns, and rows of their values as text. */
export interface RawResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Most bytes in one message, but for a piece that is larger by itself. */
const MESSAGE_BYTES = 256 * 1024;

/** Small pieces joined: each message is two writes to the socket. */
function* messages(text: CopyText): Generator<Buffer> {
  let joined: Buffer[] = [];
  let bytes = 0;
  for (const piece of text) {
    if (bytes > 0 && bytes + piece.length > MESSAGE_BYTES) {
      yield Buffer.concat(joined, bytes);
      joined = [];
      bytes = 0;
    }
    joined.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield joined.length === 1 ? (joined[0] as Buffer) : Buffer.concat(joined, bytes);
}

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

function copyDataHeader(bytes: number): Buffer {
  const header = Buffer.from([0x64, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes + 4, 1);
  return header;
}

/** A query object of the driver's: the methods are what the driver calls. */
class Script implements Submittable {
  private columns: readonly string[] = [];
  private rows: (readonly (string | null)[])[] = [];
  private readonly results: RawResult[] = [];

  constructor(
    private readonly steps: readonly ScriptStep[],
    private readonly resolve: (results: readonly RawResult[]) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  /**
   * All statements in one message, and what the COPYs among them read right behind it, without waiting to be asked for it: the server
   * takes each COPY's data when it comes to it, and drops what is left of them when a statement fails.
   */
  submit(connection: Connection): void {
    const { stream } = connection;
    stream.cork();
    connection.query(this.steps.map(({ statement }) => statement).join(';\n'));
    for (const { text } of this.steps) {
      if (text === undefined) continue;
      for (const message of messages(text)) {
        stream.write(copyDataHeader(message.length));
        stream.write(message);
      }
      stream.write(COPY_DONE);
    }
    stream.uncork();
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly name: string }[] }): void {
    this.columns = fields.map(({ name }) => name);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.rows.push(fields);
  }

  handleCommandComplete(): void {
    this.results.push({ columns: this.columns, rows: this.rows });
    this.rows = [];
  }

  handleReadyForQuery(): void {
    this.resolve(this.results);
  }

  handleError(error: Error): void {
    this.reject(error);
  }

  handleCopyInResponse(): void {
    // What it is to read is on its way already.
  }
}

export const textRows = ({ columns, rows }: RawResult): readonly TextRow[] =>
  rows.map((fields) => Object.fromEntries(columns.map((name, i) => [name, fields[i] ?? null])));

/**
 * Runs statements one after the other in one way to the server and back. Each sees what was committed before it began, as if it had
 * been sent by itself. The first that fails ends the script; the connection can be used on.
 * @returns the rows that each statement gave, in their order.
 */
export async function runScript(
  client: ClientBase,
  steps: readonly ScriptStep[],
): Promise<readonly (readonly TextRow[])[]> {
  return (await runRawScript(client, steps)).map(textRows);
}

/** As {@link runScript}, for many rows: nothing is made of them. */
export function runRawScript(
  client: ClientBase,
  steps: readonly ScriptStep[],
): Promise<readonly RawResult[]> {
  return new Promise((resolve, reject) => {
    const sent: unknown = client.query(new Script(steps, resolve, reject));
    // A connection that has something to write first may fail at that.
    if (sent instanceof Promise) sent.catch(reject);
  });
}

/** Sends COPY text; resolves when the server has taken all of it. After an error of the server the connection can be used on. */
export async function copyInto(client: ClientBase, statement: string, text: CopyText): Promise<void> {
  await runScript(client, [{ statement, text }]);
}
