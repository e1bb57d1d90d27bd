import { API_KEY_SCOPE, createApiKeys, type ApiKey } from '@imart/storage';
import { actor } from '../actor';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { readOptions } from '../readOptions';
import { textTable } from '../textTable';
import { UsageError } from '../usageError';

const RATE_DEFAULT = 100;
const RATE_MAX = 100_000;
const NAME_LENGTH_MAX = 100;

const help = `imart keys create --name NAME --scope SCOPE [--scope ...] [--rate N] [--by NAME]
imart keys list [--json]
imart keys revoke ID [--by NAME]

Keys of those who may write through the API: shown as "Authorization: Bearer KEY". What is kept is a hash; a key is printed once, when
it is made. A revoked one is refused by every API process within two seconds.

  --name NAME    whose it is, for people
  --scope SCOPE  what it may do: events:write for all aggregate types, events:write:TYPE for one; purchases:write; webhooks
  --rate N       most requests a second that each API process takes of it; default ${RATE_DEFAULT}
  --by NAME      who does it; without it, the user of the operating system
  --json         as JSON

Exit code 0: done. 1: there is no such key, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const keysCommand: Command = {
  summary: 'keys of those who may write through the API: create, list, revoke',
  help,
  async run([action, ...rest]) {
    switch (action) {
      case 'create':
        return create(rest);
      case 'list':
        return list(rest);
      case 'revoke':
        return revoke(rest);
      default:
        throw new UsageError(`keys takes create, list or revoke, not '${action ?? ''}'`);
    }
  },
};

async function create(args: readonly string[]): Promise<number> {
  const { values } = readOptions(args, {
    name: { type: 'string' },
    scope: { type: 'string', multiple: true },
    rate: { type: 'string', default: String(RATE_DEFAULT) },
    by: { type: 'string' },
  });
  const name = values.name?.trim() ?? '';
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw new UsageError(`--name must have 1 to ${NAME_LENGTH_MAX} characters: whose key is it?`);
  const scopes = [...new Set(values.scope ?? [])];
  if (scopes.length === 0) throw new UsageError('--scope is missing: what may the key do?');
  const wrong = scopes.find((scope) => !API_KEY_SCOPE.test(scope));
  if (wrong !== undefined)
    throw new UsageError(
      `--scope '${wrong}' is none; scopes are words like events:write, events:write:TYPE, purchases:write`,
    );
  const requestsPerSecond = Number(values.rate);
  if (!Number.isInteger(requestsPerSecond) || requestsPerSecond < 1 || requestsPerSecond > RATE_MAX)
    throw new UsageError(`--rate must be a whole number from 1 to ${RATE_MAX}, not '${values.rate}'`);
  return withDatabase(async (pool) => {
    const createdBy = actor(values.by);
    const { text } = await createApiKeys(pool).create({ name, scopes, requestsPerSecond, createdBy });
    process.stderr.write('This is the key. It is not kept: it cannot be shown again.\n');
    process.stdout.write(`${text}\n`);
    return 0;
  });
}

async function list(args: readonly string[]): Promise<number> {
  const { values } = readOptions(args, { json: { type: 'boolean', default: false } });
  return withDatabase(async (pool) => {
    const keys = await createApiKeys(pool).list();
    process.stdout.write(values.json ? `${JSON.stringify(keys, null, 2)}\n` : tableOf(keys));
    return 0;
  });
}

function tableOf(keys: readonly ApiKey[]): string {
  return textTable(
    ['id', 'name', 'scopes', 'rate', 'created', 'by', 'revoked'],
    keys.map((key) => [
      key.id,
      key.name,
      key.scopes.join(' '),
      `${key.requestsPerSecond}/s`,
      key.createdAt.toISOString(),
      key.createdBy,
      key.revokedAt?.toISOString() ?? '',
    ]),
  );
}

async function revoke(args: readonly string[]): Promise<number> {
  const { values, positionals } = readOptions(args, { by: { type: 'string' } }, true);
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0)
    throw new UsageError('revoke takes the id of one key, as keys list shows it');
  return withDatabase(async (pool) => {
    if (await createApiKeys(pool).revoke(id, actor(values.by))) {
      process.stdout.write(`key ${id} is revoked\n`);
      return 0;
    }
    process.stderr.write(`imart keys revoke: there is no key ${id}\n`);
    return 1;
  });
}
