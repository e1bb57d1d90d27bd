import { COMMAND_OBSERVER } from '@imart/event-service';
import { readOperatorRecords, registeredSubjects, type DatabasePool } from '@imart/storage';
import { asJson } from '../asJson';
import type { Command } from '../command';
import { historyTable, type ToldRecord } from '../historyText';
import { withDatabase } from '../openDatabase';
import { openSubjectOf, subjectsOf } from '../openSubject';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

const LAST_DEFAULT = 50;
const LAST_MAX = 10_000;

const help = `imart history [--subject ID] [--last N] [--json]

What operators did to the chains of this database, with who, when, why and what came of it: rewind, resume, parked retry and skip; and to aggregate types: forget.
The last of it comes last.

  --subject ID  only this chain, as eip155:1, or this aggregate type, as commands:member
  --last N      of each chain at most so many (${LAST_DEFAULT})
  --json        for programs; whole numbers as decimal text

Exit code 0: told, also when nothing was done. 1: something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const historyCommand: Command = {
  summary: 'tells what operators did, who, when and why',
  help,
  async run(args) {
    const { values } = readOptions(args, {
      subject: { type: 'string' },
      last: { type: 'string' },
      json: { type: 'boolean' },
    });
    const last = readLast(values.last);
    return withDatabase((pool) => run(pool, values.subject, last, values.json === true));
  },
};

function readLast(text: string | undefined): number {
  if (text === undefined) return LAST_DEFAULT;
  const last = Number(text);
  if (!/^\d{1,5}$/.test(text) || last < 1 || last > LAST_MAX)
    throw new UsageError(`--last must be a whole number from 1 to ${LAST_MAX}, got '${text}'`);
  return last;
}

async function run(
  pool: DatabasePool,
  wanted: string | undefined,
  last: number,
  json: boolean,
): Promise<number> {
  const ofCommands = await registeredSubjects(pool, COMMAND_OBSERVER);
  const named = ofCommands.filter(({ subjectId }) => subjectId === wanted);
  const subjects =
    wanted === undefined
      ? [...(await subjectsOf(pool)), ...ofCommands]
      : named.length > 0
        ? named
        : [await openSubjectOf(pool, wanted)];
  const told: ToldRecord[] = [];
  for (const { subject, subjectId } of subjects) {
    const records = await readOperatorRecords(pool, subject, last);
    told.push(...records.map((record) => ({ subject: subjectId, ...record })).reverse());
  }
  told.sort((a, b) => (a.actedAt < b.actedAt ? -1 : a.actedAt > b.actedAt ? 1 : 0));
  process.stdout.write(json ? asJson(told) : historyTable(told));
  return 0;
}
