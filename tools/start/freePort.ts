import { findFreePort, isPortFree } from '../../libs/storage/src/embedded/port';

/** This port of 127.0.0.1 if nobody has it, else the next free one of the following hundred, else any. */
export async function freePort(preferred: number): Promise<number> {
  for (let port = preferred; preferred !== 0 && port < preferred + 100 && port <= 65_535; port++) {
    if (await isPortFree(port)) return port;
  }
  return findFreePort();
}
