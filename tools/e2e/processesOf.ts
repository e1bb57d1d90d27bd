import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';

/** A process that runs, and its command. */
export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

function readOr(read: () => string, fallback: string): string {
  try {
    return read();
  } catch {
    // It has ended meanwhile, or is another user's.
    return fallback;
  }
}

/**
 * Every process that has to do with a text: it stands in its arguments, its environment or the name of its working
 * directory. Needs Linux's `/proc`. Zombies do not count.
 */
export function processesOf(text: string): readonly FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const command = readOr(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'), '')
        .replaceAll('\0', ' ')
        .trim();
      const environment = readOr(() => readFileSync(`/proc/${name}/environ`, 'utf8'), '');
      const directory = readOr(() => readlinkSync(`/proc/${name}/cwd`), '');
      const isZombie = / Z /.test(
        readOr(() => readFileSync(`/proc/${name}/stat`, 'utf8'), ' Z ').replace(/\(.*\)/, ''),
      );
      const isOurs = [command, environment, directory].some((place) => place.includes(text));
      return isOurs && !isZombie ? [{ pid: Number(name), command }] : [];
    });
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
