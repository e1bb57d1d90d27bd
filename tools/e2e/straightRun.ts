import type { TestServer } from '../../libs/storage/src/testing/testDatabase';
import type { Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import type { Chain, Market } from './market';

/** The tables that an undisturbed run leaves; each test works on a copy. */
export interface StraightRun {
  readonly url: string;
  readonly tables: Readonly<Record<string, string>>;
  /** A copy of the database. */
  copy(): Promise<string>;
}

/** Has a worker read the whole chain. */
export async function runStraight(
  market: Market,
  server: TestServer,
  chain: Chain,
  expected: Expected,
): Promise<StraightRun> {
  const { url } = await server.createDatabase();
  await market.runWorker(chain, url, expected);
  const nameOf = (of: string): string => new URL(of).pathname.slice(1);
  return {
    url,
    tables: await dump(url),
    async copy() {
      const { url: target } = await server.createDatabase();
      await query(server.adminUrl, `DROP DATABASE "${nameOf(target)}"`);
      await query(server.adminUrl, `CREATE DATABASE "${nameOf(target)}" TEMPLATE "${nameOf(url)}"`);
      return target;
    },
  };
}
