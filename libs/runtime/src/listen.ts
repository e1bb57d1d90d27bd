import type { Server } from 'node:net';
import { ConfigError } from '@imart/core';

/** Where a server shall listen, and the settings that say so. */
export interface ListenOptions {
  readonly host: string;
  /** 0 stands for a free one. */
  readonly port: number;
  /** Name of the setting that gave the port, for the error. */
  readonly portSetting: string;
}

/**
 * Listens and gives the port.
 * @throws {ConfigError} when the port is taken or not allowed; it names the port and the setting.
 */
export function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toConfigError(error, options)));
    server.listen(options.port, options.host, () => {
      server.removeAllListeners('error');
      resolve((server.address() as { port: number }).port);
    });
  });
}

/** What an error of `listen` means in terms of the settings; also for servers of other libraries. */
export function toConfigError(error: NodeJS.ErrnoException, options: ListenOptions): Error {
  const { host, port, portSetting } = options;
  const problem = {
    EADDRINUSE: `port ${port} on ${host} is taken by another program: stop it, or set ${portSetting} to another port (0 for a free one)`,
    EACCES: `port ${port} on ${host} may not be used by this user: set ${portSetting} to a port above 1023`,
    EADDRNOTAVAIL: `${host} is not an address of this machine, so port ${port} cannot be opened on it`,
  }[error.code ?? ''];
  return problem === undefined ? error : new ConfigError([{ setting: portSetting, problem }]);
}
