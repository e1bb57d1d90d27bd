import { createServer, type AddressInfo, type Server } from 'node:net';
import { createGuardedBackend } from './postgresJobs';

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const AUTHENTICATED = message('R', Buffer.from([0, 0, 0, 0]));
const READY = message('Z', Buffer.from('I'));
const TERMINATED = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

describe('the connection on which BullMQ listens', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    // A server that ends a session in the same packet in which it says that the session is ready.
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, TERMINATED])));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    url = `postgresql://someone@127.0.0.1:${(server.address() as AddressInfo).port}/none`;
  });
  afterAll(async () => new Promise((closed) => server.close(closed)));

  it('may be cut in the moment in which it is made: its next statement fails, and the process goes on (Q12)', async () => {
    const unheard: unknown[] = [];
    const listener = (error: unknown): void => void unheard.push(error);
    process.on('uncaughtException', listener);
    try {
      const backend = createGuardedBackend('queue', { connection: { connectionString: url } });
      backend.connection.on('error', () => undefined);
      await expect(backend.connection.setListenClientName('queue')).rejects.toThrow();
      await backend.connection.close().catch(() => undefined);
    } finally {
      process.off('uncaughtException', listener);
    }
    expect(unheard).toEqual([]);
  });
});
