import { parseArgs } from 'node:util';
import { messageOf } from '@imart/core';

/** What `npm run test:faults` is asked to do. */
export interface FaultOptions {
  /** Whether the tests of the rows are run. */
  readonly rows: boolean;
  /** Only these rows. @defaultValue all */
  readonly only: readonly string[] | null;
  /** How many histories in memory. */
  readonly histories: number;
  /** How many histories of the whole worker with its servers. */
  readonly fullHistories: number;
  /** The first seed; each history has the next one. */
  readonly seed: number;
  /** How long histories go on; `null`: until their number is reached. */
  readonly hours: number | null;
  /** jest's report of a run that has been made: what it has run is not run again. `null`: everything is run. */
  readonly ran: string | null;
  readonly help: boolean;
}

export const HISTORIES_DEFAULT = 400;
export const FULL_HISTORIES_DEFAULT = 24;

export const USAGE = `npm run test:faults -- [options]

Runs what proves each row of known faults, then histories of crashes, reorgs and faults from seeds. Rows about
Redis need redis-server. Exit code 0: all rows hold and no history differs; 1: not so; 2: what was asked cannot be meant.

  --seed S              repeats the history of one seed: in memory, with --full the whole worker's
  --histories N         histories in memory (${HISTORIES_DEFAULT})
  --full-histories N    histories of the whole worker on PostgreSQL, Redis and a fake chain (${FULL_HISTORIES_DEFAULT})
  --from S              the first seed (drawn, and printed)
  --hours N             goes on with new seeds for so long, after the rows
  --rows P1,R3          only these rows, no histories
  --no-rows             histories only
  --ran FILE            takes what became of tests from jest's report of a run (--json --outputFile=FILE), runs the others
  --full                of --seed: the whole worker
`;

/** What was asked for cannot be meant; the message says what. */
export class OptionsError extends Error {}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        from: { type: 'string' },
        histories: { type: 'string' },
        'full-histories': { type: 'string' },
        hours: { type: 'string' },
        rows: { type: 'string' },
        'no-rows': { type: 'boolean', default: false },
        ran: { type: 'string' },
        full: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    // Its second sentence is about positional arguments, of which there are none.
    throw new OptionsError(messageOf(error).split('. ')[0]);
  }
}

/** Without a sign, a fraction only where one is meant: what `Number` reads besides is a mistake. */
function readNumber(name: string, text: string, pattern: RegExp, what: string): number {
  const value = Number(text);
  if (!pattern.test(text) || !Number.isSafeInteger(Math.ceil(value)))
    throw new OptionsError(`--${name} must be ${what}, not "${text}"`);
  return value;
}

/** @throws {OptionsError} for what cannot be meant. */
export function readOptions(args: readonly string[], drawSeed: () => number): FaultOptions {
  const values = parse(args);
  const whole = (name: string, text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : readNumber(name, text, /^\d+$/, 'a whole number from 0 on');
  const one = values.seed !== undefined;
  if (one && values.from !== undefined) throw new OptionsError('--seed and --from exclude each other');
  if (values.full && !one) throw new OptionsError('--full is of --seed: which history is to be repeated?');
  if (values['no-rows'] && (values.rows ?? values.ran) !== undefined)
    throw new OptionsError('--no-rows excludes --rows and --ran');
  const only = values.rows === undefined ? null : values.rows.split(',').map((id) => id.trim());
  const histories = one ? (values.full ? 0 : 1) : only !== null ? 0 : HISTORIES_DEFAULT;
  const full = one ? (values.full ? 1 : 0) : only !== null ? 0 : FULL_HISTORIES_DEFAULT;
  const options: FaultOptions = {
    rows: !one && !values['no-rows'],
    only,
    histories: whole('histories', values.histories, histories),
    fullHistories: whole('full-histories', values['full-histories'], full),
    seed: whole(one ? 'seed' : 'from', values.seed ?? values.from, drawSeed()),
    hours:
      values.hours === undefined
        ? null
        : readNumber('hours', values.hours, /^\d*\.?\d+$/, 'a number from 0 on'),
    ran: values.ran ?? null,
    help: values.help,
  };
  if (options.hours !== null && options.histories + options.fullHistories === 0)
    throw new OptionsError('--hours needs histories to go on with');
  return options;
}
