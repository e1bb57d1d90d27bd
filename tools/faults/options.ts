import { parseArgs } from 'node:util';

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
  readonly help: boolean;
}

export const HISTORIES_DEFAULT = 400;
export const FULL_HISTORIES_DEFAULT = 24;

export const USAGE = `npm run test:faults -- [options]

Runs what proves each row of known faults, then histories of crashes, reorgs and faults from seeds, and ends with a table.

  --seed S              repeats the history of one seed: in memory, with --full the whole worker's
  --histories N         histories in memory (${HISTORIES_DEFAULT})
  --full-histories N    histories of the whole worker on PostgreSQL, Redis and a fake chain (${FULL_HISTORIES_DEFAULT})
  --from S              the first seed (drawn, and printed)
  --hours N             goes on with new seeds for so long
  --rows P1,R3          only these rows, no histories
  --no-rows             histories only
  --full                of --seed: the whole worker
`;

/** @throws {RangeError} for what cannot be meant. */
export function readOptions(args: readonly string[], drawSeed: () => number): FaultOptions {
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
      full: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const number = (name: string, text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < 0)
      throw new RangeError(`--${name} must be a number from 0 on, not "${text}"`);
    return value;
  };
  const one = values.seed !== undefined;
  const only = values.rows === undefined ? null : values.rows.split(',').map((id) => id.trim());
  const histories = one ? (values.full ? 0 : 1) : only !== null ? 0 : HISTORIES_DEFAULT;
  const full = one ? (values.full ? 1 : 0) : only !== null ? 0 : FULL_HISTORIES_DEFAULT;
  return {
    rows: !one && !values['no-rows'],
    only,
    histories: number('histories', values.histories, histories),
    fullHistories: number('full-histories', values['full-histories'], full),
    seed: number('seed', values.seed ?? values.from, drawSeed()),
    hours: values.hours === undefined ? null : number('hours', values.hours, 0),
    help: values.help,
  };
}
