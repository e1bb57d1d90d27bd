import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { prismaDirectory } from '../prismaDirectory';
import { pendingMigrations, migrate } from './migrate';

/** A server that says which version it is, and keeps what it is asked. */
function serverOf(version: string) {
  const asked: string[] = [];
  const client = {
    query: async (text: string) => {
      asked.push(text);
      return { rows: text.includes('server_version') ? [{ exists: false, version }] : [] };
    },
  };
  return { asked, client: client as unknown as ClientBase };
}

const migrations = join(prismaDirectory(), 'migrations');

describe('a server', () => {
  it.each(['14.19 (Debian 14.19-1)', '9.6.24'])(
    'of PostgreSQL %s is refused with its version, and nothing is written',
    async (version) => {
      const { asked, client } = serverOf(version);
      for (const begin of [migrate, pendingMigrations]) {
        await expect(begin(client, migrations)).rejects.toMatchObject({
          code: 'SERVER_TOO_OLD',
          disposition: 'stop',
          message: expect.stringContaining(`is PostgreSQL ${version}: this program needs 15 or newer`),
        });
      }
      expect(asked.filter((text) => !/^SELECT /.test(text))).toEqual([]);
    },
  );

  it.each(['15.20 (Debian 15.20-0+deb12u1)', '18.4', '19beta1'])(
    'of PostgreSQL %s is taken',
    async (version) => {
      await expect(pendingMigrations(serverOf(version).client, migrations)).resolves.not.toEqual([]);
    },
  );
});
