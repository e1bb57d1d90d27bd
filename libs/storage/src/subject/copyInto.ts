import { once } from 'node:events';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Sends COPY text; resolves when the server has taken all of it. */
export async function copyInto(client: ClientBase, statement: string, text: string): Promise<void> {
  const stream = client.query(copyFrom(statement));
  const finished = once(stream, 'finish');
  stream.end(text);
  await finished;
}
