import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What to do with the next words of a client: pass them on; cut the connection before the server hears them; or cut it when
 * the server has heard and answered them, so that the client never learns what came of them.
 */
export type Cut = 'pass' | 'before' | 'after';

/** Stands between clients and a PostgreSQL server, and cuts connections where a spec wants it. */
export interface CuttingProxy {
  readonly url: string;
  /** Asked for every packet of a client; `text` is what it says. */
  decide: (text: string) => Cut;
  close(): Promise<void>;
}

export const COMMIT = 'COMMIT\0';

export async function createCuttingProxy(serverUrl: string): Promise<CuttingProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const proxy = { decide: (_text: string): Cut => 'pass' };
  const listener = createServer((client) => {
    const server = connect(Number(target.port === '' ? 5432 : target.port), target.hostname);
    let dropping = false;
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (data) => {
      const what = proxy.decide(data.toString('latin1'));
      if (what === 'before') return cut();
      dropping = what === 'after';
      server.write(data);
    });
    server.on('data', (data) => {
      if (dropping) return cut();
      client.write(data);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return Object.assign(proxy, {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  });
}
