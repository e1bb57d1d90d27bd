import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/**
 * COPY text in pieces. Each piece is bytes as soon as it is made: one long text, put together of a hundred thousand cells,
 * would keep all of them in memory until it is sent.
 */
export type CopyText = readonly Buffer[];

/**
 * Sends COPY text; resolves when the server has taken all of it. After an error of the server the connection can be used on.
 */
export async function copyInto(client: ClientBase, statement: string, text: CopyText): Promise<void> {
  const stream = client.query(copyFrom(statement));
  const finished = new Promise<void>((resolve, reject) => {
    stream.once('finish', resolve);
    // Stays on the stream: an error after the first one must not be an unhandled one.
    stream.on('error', reject);
  });
  for (const piece of text) stream.write(piece);
  stream.end();
  try {
    await finished;
  } catch (error) {
    // What still waits for the socket would be sent on a stream that has let go of its connection: that ends the process.
    stream.destroy();
    throw error;
  }
}
