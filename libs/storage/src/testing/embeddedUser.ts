import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '../embedded/startEmbeddedPostgres';

/**
 * A program for specs: a process that uses the embedded server in the directory of its first argument. It prints one line of
 * JSON when the server is ready, and stops being a user when it is told anything on its input.
 */
async function main(dataDir: string, options: string): Promise<void> {
  const server = await startEmbeddedPostgres({ dataDir, ...(JSON.parse(options) as object) });
  process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid, port: server.port })}\n`);
  for await (const _ of createInterface({ input: process.stdin })) break;
  await server.stop();
  process.exit(0);
}

void main(process.argv[2] ?? '', process.argv[3] ?? '{}');
