import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** What `npm run test:gaps` is asked to do. */
export interface GapOptions {
  readonly seconds: number;
  readonly seed: number;
  /** `null`: an embedded server. */
  readonly databaseUrl: string | null;
  readonly help: boolean;
}

export const SECONDS_DEFAULT = 60;

export const USAGE = `npm run test:gaps -- [options]

16 writers accept commands at once, with random delays between writing and committing, transactions that are rolled back, and open ones in this
and in another database, while readers of the whole log die at random; then the database is copied, and dumped where pg_dump fits the
server, into a fresh cluster, and read on. Tells how many events were missed and how many were read twice. Exit code 0: none; 1: some; 2: wrong usage.

  --seconds N          how long the writers write (${SECONDS_DEFAULT})
  --seed S             draws the delays, rollbacks and deaths (drawn, and printed)
  --database-url URL   a server, with the right to create databases; without it an embedded one
`;

/** @throws {RangeError} @throws {TypeError} what was asked for cannot be meant. */
export function readGapOptions(args: readonly string[]): GapOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: String(SECONDS_DEFAULT) },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      'database-url': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'seconds' | 'seed', least: number): number => {
    const text = values[name];
    if (!/^\d{1,10}$/.test(text) || Number(text) < least)
      throw new RangeError(`--${name} must be a whole number of at least ${least}, not "${text}"`);
    return Number(text);
  };
  return {
    seconds: whole('seconds', 1),
    seed: whole('seed', 0),
    databaseUrl: values['database-url'] ?? null,
    help: values.help,
  };
}
