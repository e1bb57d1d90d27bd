import { CommandInvalidError } from '@imart/event-service';
import type { ShelfSale } from '@imart/purchase';
import type { DatabasePool } from '@imart/storage';
import { actor } from '../actor';
import { asJson } from '../asJson';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { openSales, type OpenedSales } from '../openSales';
import { readOptions } from '../readOptions';
import { textTable } from '../textTable';
import { UsageError } from '../usageError';

const help = `imart sale list    [--json]
imart sale show    ID [--json]
imart sale create  ID --name TEXT --supply N --price P --currency C --opens TIME [--closes TIME] [--wallet-limit N] [--by NAME]
imart sale approve ID [--by NAME]
imart sale restock ID --quantity N [--by NAME]
imart sale close   ID [--by NAME]

Sales that purchases are made from. A new one is UNAUDITED until it is approved, then UPCOMING until it opens, LIVE, and ENDED once it is
closed or over. What is sold out stays LIVE: it may be restocked.

  --supply N        pieces in all, at least 1
  --price P         of one piece, a decimal number, exact: 1.5
  --currency C      its symbol or contract
  --opens TIME      from when on it can be bought, as 2026-01-31T12:00:00Z, or now
  --closes TIME     until when; without it, until it is closed
  --wallet-limit N  most pieces for one wallet; without it, any number
  --by NAME         who does it; without it, the user of the operating system
  --json            for programs

Exit code 0: done. 1: refused, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

const ACTIONS = ['list', 'show', 'create', 'approve', 'restock', 'close'] as const;
type Action = (typeof ACTIONS)[number];

/** Which options an action takes, besides --json of those that show. */
const TAKES: Readonly<Record<Action, readonly string[]>> = {
  list: ['json'],
  show: ['json'],
  create: ['name', 'supply', 'price', 'currency', 'opens', 'closes', 'wallet-limit', 'by'],
  approve: ['by'],
  restock: ['quantity', 'by'],
  close: ['by'],
};

/** The event that an action asks for. */
interface Asked {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const saleCommand: Command = {
  summary: 'lists, creates, approves, restocks and closes sales',
  help,
  async run(args) {
    const { values, positionals } = readOptions(
      args,
      {
        name: { type: 'string' },
        supply: { type: 'string' },
        price: { type: 'string' },
        currency: { type: 'string' },
        opens: { type: 'string' },
        closes: { type: 'string' },
        'wallet-limit': { type: 'string' },
        quantity: { type: 'string' },
        by: { type: 'string' },
        json: { type: 'boolean' },
      },
      true,
    );
    const [word, id, ...more] = positionals;
    const action = ACTIONS.find((one) => one === word);
    if (action === undefined) {
      throw new UsageError(
        `${word === undefined ? 'say what to do' : `there is no '${word}'`}: ${ACTIONS.join(', ')}`,
      );
    }
    if (more.length > 0) throw new UsageError(`'${more.join(' ')}' is too much`);
    const foreign = Object.keys(values).find((name) => !TAKES[action].includes(name));
    if (foreign !== undefined) throw new UsageError(`${action} takes no --${foreign}`);
    const json = values.json === true;
    if (action === 'list') {
      if (id !== undefined) throw new UsageError(`list takes no id; imart sale show ${id} shows one`);
      return withDatabase(async (pool) => list((await openSales(pool)).shelf, json));
    }
    if (id === undefined) throw new UsageError(`${action} needs the id of a sale`);
    if (action === 'show') return withDatabase(async (pool) => show((await openSales(pool)).shelf, id, json));
    const asked = eventOf(action, values);
    return withDatabase(async (pool) => {
      // By the clock that decides about it.
      const opening = values.opens === 'now' ? { opensAt: await readDatabaseTime(pool) } : {};
      const data = { ...asked.data, ...opening };
      return change(await openSales(pool), id, { ...asked, data }, actor(values.by));
    });
  },
};

type Values = Readonly<Partial<Record<string, string | boolean>>>;

function eventOf(action: Exclude<Action, 'list' | 'show'>, values: Values): Asked {
  switch (action) {
    case 'create':
      return {
        name: 'Created',
        data: {
          name: required(values, 'name'),
          supply: whole(values, 'supply'),
          price: required(values, 'price'),
          currency: required(values, 'currency'),
          opensAt: required(values, 'opens'),
          closesAt: values['closes'] ?? null,
          walletLimit: values['wallet-limit'] === undefined ? null : whole(values, 'wallet-limit'),
        },
      };
    case 'approve':
      return { name: 'Approved', data: {} };
    case 'restock':
      return { name: 'Restocked', data: { quantity: whole(values, 'quantity') } };
    case 'close':
      return { name: 'Closed', data: {} };
  }
}

function required(values: Values, name: string): string {
  const value = values[name];
  if (typeof value !== 'string') throw new UsageError(`--${name} is missing`);
  return value;
}

function whole(values: Values, name: string): number {
  const text = required(values, name);
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`--${name} must be a whole number, got '${text}'`);
  return Number(text);
}

async function readDatabaseTime(pool: DatabasePool): Promise<string> {
  const { rows } = await pool.query('SELECT clock_timestamp() AS now');
  return (rows[0] as { now: Date }).now.toISOString();
}

/** How long it is waited for the sale's log: nobody else need be running. */
const APPEND_MS = 10_000;

async function change(sales: OpenedSales, id: string, { name, data }: Asked, by: string): Promise<number> {
  const answer = await sales.commands
    .request({ type: 'sale', id, name, data, actor: by })
    .catch((error: unknown) => {
      if (error instanceof CommandInvalidError) throw new UsageError(error.problems.join('; '));
      throw error;
    });
  if (answer.kind === 'refused') {
    process.stderr.write(`imart sale: refused: ${answer.reason} (${answer.rule})\n`);
    return 1;
  }
  await sales.append();
  const fate = await sales.commands.waitFor('sale', id, answer.version, { timeoutMs: APPEND_MS });
  if (fate.kind !== 'executed') {
    process.stderr.write(`imart sale: accepted, but it is ${fate.kind}; see imart sale show ${id}\n`);
    return 1;
  }
  return show(sales.shelf, id, false);
}

async function list(shelf: OpenedSales['shelf'], json: boolean): Promise<number> {
  const found = await shelf.list(1_000);
  if (json) process.stdout.write(asJson(found.map(plain)));
  else if (found.length === 0) process.stdout.write('there is no sale\n');
  else {
    const rows = found
      .map(plain)
      .map((one) => [
        one.id,
        one.status,
        `${one.left}/${one.supply}`,
        `${one.price} ${one.currency}`,
        one.name,
      ]);
    process.stdout.write(textTable(['id', 'status', 'left', 'price', 'name'], rows));
  }
  return 0;
}

async function show(shelf: OpenedSales['shelf'], id: string, json: boolean): Promise<number> {
  const found = await shelf.find(id);
  if (found === null) {
    process.stderr.write(`imart sale: there is no sale '${id}'\n`);
    return 1;
  }
  const one = plain(found);
  process.stdout.write(
    json
      ? asJson(one)
      : `${one.id}: ${one.name}, ${one.status}, ${one.left} of ${one.supply} left, ${one.price} ${one.currency} each` +
          `${one.walletLimit === null ? '' : `, at most ${one.walletLimit} for one wallet`}; opens ${one.opensAt}` +
          `${one.closesAt === null ? '' : `, closes ${one.closesAt}`}\n`,
  );
  return 0;
}

function plain({ id, version, status, state: { supply, minted, terms } }: ShelfSale) {
  const {
    name = '',
    price = '',
    currency = '',
    walletLimit = null,
    opensAt = '',
    closesAt = null,
  } = terms ?? {};
  return {
    id,
    name,
    status,
    supply,
    minted,
    left: supply - minted,
    walletLimit,
    price,
    currency,
    opensAt,
    closesAt,
    version,
  };
}
