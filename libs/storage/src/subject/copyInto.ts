import { once } from 'node:events';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/**
 * COPY text in pieces. Each piece is bytes as soon as it is made: one long text, put together of a hundred thousand cells,
 * would keep all of them in memory until it is sent.
 */
export type CopyText = readonly Buffer[];

/** Sends COPY text; resolves when the server has taken all of it. */
export async function copyInto(client: ClientBase, statement: string, text: CopyText): Promise<void> {
  const stream = client.query(copyFrom(statement));
  const finished = once(stream, 'finish');
  for (const piece of text) stream.write(piece);
  stream.end();
  await finished;
}
