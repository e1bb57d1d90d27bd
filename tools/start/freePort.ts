import { createServer } from 'node:net';

/** This port if nobody has it, else the next free one of the following hundred, else any. */
export async function freePort(preferred: number): Promise<number> {
  for (let port = preferred; preferred !== 0 && port < preferred + 100 && port <= 65_535; port++) {
    if ((await tryListen(port)) !== null) return port;
  }
  const any = await tryListen(0);
  if (any === null) throw new Error('no free port on 127.0.0.1');
  return any;
}

function tryListen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
