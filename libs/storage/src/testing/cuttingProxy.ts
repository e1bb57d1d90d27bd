import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What to do with the next words of a client: pass them on; cut the connection before the server hears them; cut it when
 * the server has heard and answered them, so that the client never learns what came of them; or, a number, when it has heard and done what the
 * first so many bytes say, and nothing of the rest.
 */
export type Cut = 'pass' | 'before' | 'after' | number;

/** Stands between clients and a PostgreSQL server, and cuts connections where a spec wants it. */
export interface CuttingProxy {
  readonly url: string;
  /** Asked for every packet of a client; `text` is what it says. */
  decide: (text: string) => Cut;
  close(): Promise<void>;
}

const FLUSH = Buffer.from([0x48, 0, 0, 0, 4]);

/**
 * Where statements end that others follow within one packet: a client may say several at once.
 * @param text as {@link CuttingProxy.decide} is given it
 */
export function innerEnds(text: string): readonly number[] {
  const packet = Buffer.from(text, 'latin1');
  const ends: number[] = [];
  for (let at = 0; at + 5 <= packet.length;) {
    const type = packet.toString('latin1', at, at + 1);
    at += 1 + packet.readUInt32BE(at + 1);
    if (type === EXECUTE && at <= packet.length) ends.push(at);
  }
  return ends.slice(0, -1);
}

const EXECUTE = 'E';

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
      dropping = what !== 'pass';
      // Without the end of what was said, the server would keep its answer.
      server.write(typeof what === 'number' ? Buffer.concat([data.subarray(0, what), FLUSH]) : data);
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
