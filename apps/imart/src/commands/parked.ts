import { type AggregateKey, type SeqNo } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { retryParked, skipParked, type ReleaseResult } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import { readParked, readParkedAggregate, type DatabasePool } from '@imart/storage';
import { actor } from '../actor';
import { asJson } from '../asJson';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { openSubjectOf, type OpenedSubject, subjectsOf } from '../openSubject';
import { keyText, parkedDetails, parkedTable, placeText, readKey } from '../parkedText';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

const help = `imart parked list  [--subject ID] [--json]
imart parked show  KEY [--subject ID] [--json]
imart parked retry KEY | --all [--reason TEXT] [--by NAME] [--subject ID] [--json]
imart parked skip  KEY --reason TEXT [--seq-no N] [--by NAME] [--subject ID] [--json]

What was set aside after a failure. Its later events wait in the log, in order. A worker may run meanwhile.

  list    every aggregate that is set aside: since when, where, why, and how many events wait
  show    one of them: its waiting events, what was skipped, and every change with who, when and why
  retry   folds it again from the event that it is parked at, in order: after the cause was mended
  skip    leaves that one event out for good (it stays in the log), and folds what comes after it

  KEY            type/id, as list shows it
  --all          every aggregate that is set aside
  --reason TEXT  why; kept with the change
  --seq-no N     the event to skip, as show tells it: refused when it is parked at another one by now
  --by NAME      who does it; without it, the user of the operating system
  --subject ID   the chain, as eip155:1; needed where the database has several, but for list
  --json         for programs; whole numbers as decimal text

Exit code 0: done. 1: it is parked (again), was not parked, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

interface Arguments {
  readonly action: 'list' | 'show' | 'retry' | 'skip';
  readonly key: AggregateKey | null;
  readonly all: boolean;
  readonly reason: string | null;
  readonly seqNo: SeqNo | null;
  readonly by: string;
  readonly subject: string | undefined;
  readonly json: boolean;
}

export const parkedCommand: Command = {
  summary: 'lists, shows, retries and skips what was set aside after a failure',
  help,
  async run(args) {
    const read = readArguments(args);
    return withDatabase((pool) => run(pool, read));
  },
};

const ACTIONS = ['list', 'show', 'retry', 'skip'] as const;
/** Which options an action takes, besides those that all take. */
const TAKES: Readonly<Record<Arguments['action'], readonly string[]>> = {
  list: [],
  show: [],
  retry: ['all', 'reason', 'by'],
  skip: ['reason', 'seq-no', 'by'],
};

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = readOptions(
    args,
    {
      all: { type: 'boolean' },
      reason: { type: 'string' },
      'seq-no': { type: 'string' },
      by: { type: 'string' },
      subject: { type: 'string' },
      json: { type: 'boolean' },
    },
    true,
  );
  const action = ACTIONS.find((one) => one === positionals[0]);
  if (action === undefined) {
    const given = positionals[0] === undefined ? 'say what to do' : `there is no '${positionals[0]}'`;
    throw new UsageError(`${given}: list, show, retry or skip`);
  }
  const foreign = Object.keys(values).find((name) => !['subject', 'json', ...TAKES[action]].includes(name));
  if (foreign !== undefined) throw new UsageError(`${action} takes no --${foreign}`);
  const [, key, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`'${more.join(' ')}' is too much`);
  const all = values.all === true;
  if (action === 'list' && key !== undefined)
    throw new UsageError(`list takes no key; imart parked show ${key} shows one`);
  if (action !== 'list' && key === undefined && !all)
    throw new UsageError(`${action} needs the key of an aggregate`);
  if (all && key !== undefined) throw new UsageError('either a key or --all');
  const reason = values.reason?.trim() ?? '';
  if (action === 'skip' && reason === '')
    throw new UsageError('skip needs --reason: why this event does not count');
  return {
    action,
    key: key === undefined ? null : readKey(key),
    all,
    reason: reason === '' ? null : reason,
    seqNo: readSeqNo(values['seq-no']),
    by: actor(values.by),
    subject: values.subject,
    json: values.json === true,
  };
}

function readSeqNo(text: string | undefined): SeqNo | null {
  if (text === undefined) return null;
  const { max } = evmSeqNo;
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > evmSeqNo.last(max.position)) {
    throw new UsageError(`--seq-no must be a seq no, as imart parked show tells it, got '${text}'`);
  }
  return BigInt(text) as SeqNo;
}

async function run(pool: DatabasePool, args: Arguments): Promise<number> {
  if (args.action === 'list') return list(pool, args);
  const subject = await openSubjectOf(pool, args.subject);
  if (args.action === 'show') return show(pool, subject, args);
  const keys = args.all ? await readParked(pool, subject.subject) : [args.key as AggregateKey];
  const results: { key: string; result: ReleaseResult }[] = [];
  for (const key of keys) results.push({ key: keyText(key), result: await release(subject, key, args) });
  if (args.json) process.stdout.write(asJson(results));
  else if (results.length === 0) process.stdout.write('nothing is parked\n');
  else
    for (const { key, result } of results)
      process.stdout.write(`${key}: ${resultText(subject.subjectId, result)}\n`);
  return results.every(({ result }) => result.kind === 'released') ? 0 : 1;
}

function release(
  { store, observer }: OpenedSubject,
  { aggregateType, aggregateId }: AggregateKey,
  { action, by, reason, seqNo }: Arguments,
): Promise<ReleaseResult> {
  const options = { store, observer, logger: silentLogger };
  const request = { aggregateType, aggregateId, actedBy: by };
  return action === 'skip'
    ? skipParked(options, { ...request, reason: reason as string, ...(seqNo === null ? {} : { seqNo }) })
    : retryParked(options, { ...request, reason });
}

function resultText(subjectId: string, result: ReleaseResult): string {
  switch (result.kind) {
    case 'released':
      return `released, folded from ${placeText(subjectId, result.fromSeqNo)} on`;
    case 'parked-again':
      return `folded further, and parked again at ${whereAndWhy(subjectId, result.parked)}`;
    case 'unchanged':
      return `fails as before at ${whereAndWhy(subjectId, result.parked)}`;
    case 'not-parked':
      return 'is not parked; nothing was done';
    case 'parked-elsewhere':
      return `is parked at another event by now, ${placeText(subjectId, result.parked.fromSeqNo)} (seq no ${result.parked.fromSeqNo}); nothing was done`;
  }
}

const whereAndWhy = (
  subjectId: string,
  parked: { fromSeqNo: SeqNo; code: string; message: string } | null,
): string =>
  parked === null ? '?' : `${placeText(subjectId, parked.fromSeqNo)}: ${parked.code}, ${parked.message}`;

async function list(pool: DatabasePool, { subject, json }: Arguments): Promise<number> {
  const subjects = subject === undefined ? await subjectsOf(pool) : [await openSubjectOf(pool, subject)];
  const rows: { subjectId: string; parked: Awaited<ReturnType<typeof readParked>>[number] }[] = [];
  for (const one of subjects) {
    for (const parked of await readParked(pool, one.subject)) rows.push({ subjectId: one.subjectId, parked });
  }
  process.stdout.write(
    json
      ? asJson(rows.map(({ subjectId, parked }) => ({ subject: subjectId, key: keyText(parked), ...parked })))
      : parkedTable(rows),
  );
  return 0;
}

async function show(pool: DatabasePool, subject: OpenedSubject, { key, json }: Arguments): Promise<number> {
  const aggregate = key as AggregateKey;
  const found = await readParkedAggregate(pool, subject.subject, aggregate);
  const isKnown = found.marker !== null || found.actions.length > 0 || found.skipped.length > 0;
  if (!isKnown) {
    process.stderr.write(
      `imart parked: ${keyText(aggregate)} is not parked on ${subject.subjectId}, and never was\n`,
    );
    return 1;
  }
  process.stdout.write(
    json
      ? asJson({ subject: subject.subjectId, key: keyText(aggregate), ...found })
      : parkedDetails(subject.subjectId, aggregate, found),
  );
  return 0;
}
