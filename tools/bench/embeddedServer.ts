// The embedded PostgreSQL as a process of its own, with full durability: `embeddedServer DATA_DIR` prints "ready URL".
import { startEmbeddedPostgres } from '@imart/storage';

async function main(): Promise<void> {
  const server = await startEmbeddedPostgres({
    dataDir: process.argv[2] as string,
    database: 'postgres',
    // As a server would have it, not a laptop; nothing of it trades durability.
    settings: { shared_buffers: '512MB', max_wal_size: '4GB' },
    stopWithProcess: true,
  });
  // The server does not keep this process alive; this does, until it is asked to end.
  setInterval(() => undefined, 60_000);
  console.log(`ready ${server.url}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void server.stop().then(() => process.exit(0)));
  }
}

void main();
