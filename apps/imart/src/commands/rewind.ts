import { rewind, type RewindResult } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import { countFrom, type DatabasePool, type StoredFrom } from '@imart/storage';
import { actor } from '../actor';
import { asJson } from '../asJson';
import type { Command } from '../command';
import { confirm } from '../confirm';
import { withDatabase } from '../openDatabase';
import { openSubjectOf } from '../openSubject';
import { operatorLog } from '../operatorLog';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

const help = `imart rewind --subject ID --to-block N [--yes] [--reason TEXT] [--by NAME] [--json]

Takes a chain back to block N (on Aptos: to version N): what was read of later blocks is taken out of the log, and every state is as if it had never been there.
Also below what is final, and a chain that stands still goes on. A worker may run meanwhile: it reads on from there by itself.

Without --yes it only tells what it would remove; on a terminal it then asks.

  --subject ID   the chain, as eip155:1; needed where the database has several
  --to-block N   the last block that stays
  --yes          do it
  --reason TEXT  why; kept with who and when (imart history), and told on stderr
  --by NAME      who does it; without it, the user of the operating system
  --json         for programs; whole numbers as decimal text

Exit code 0: done, or told what would be done. 1: something failed. 2: wrong usage. Interrupted, it can be run again.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

interface Arguments {
  readonly subject: string | undefined;
  readonly toBlock: bigint;
  readonly yes: boolean;
  readonly by: string;
  readonly reason: string | null;
  readonly json: boolean;
}

export const rewindCommand: Command = {
  summary: 'takes a chain back to a block, also below finality, and lets it go on',
  help,
  async run(args) {
    const read = readArguments(args);
    return withDatabase((pool) => run(pool, read));
  },
};

function readArguments(args: readonly string[]): Arguments {
  const { values } = readOptions(args, {
    subject: { type: 'string' },
    'to-block': { type: 'string' },
    yes: { type: 'boolean' },
    reason: { type: 'string' },
    by: { type: 'string' },
    json: { type: 'boolean' },
  });
  const block = values['to-block'];
  if (block === undefined) throw new UsageError('--to-block is missing: the last block that stays');
  if (!/^\d{1,15}$/.test(block)) {
    throw new UsageError(`--to-block must be a block number, got '${block}'`);
  }
  return {
    subject: values.subject,
    toBlock: BigInt(block),
    yes: values.yes === true,
    by: actor(values.by),
    reason: values.reason?.trim() || null,
    json: values.json === true,
  };
}

async function run(
  pool: DatabasePool,
  { subject, toBlock, yes, by, reason, json }: Arguments,
): Promise<number> {
  const opened = await openSubjectOf(pool, subject);
  const { store, observer, subjectId, startPosition } = opened;
  const { nextPosition, finalizedPosition } = await store.progress();
  if (toBlock >= nextPosition) {
    throw new UsageError(
      nextPosition === startPosition
        ? `nothing of ${subjectId} is in the log yet`
        : `the log of ${subjectId} ends at block ${nextPosition - 1n}: there is nothing after block ${toBlock}`,
    );
  }
  const options = { store, observer, logger: silentLogger };
  const plan = await rewind(options, { toPosition: toBlock, dryRun: true });
  const stored = await countFrom(pool, opened.subject, opened.storeOptions.seqNos.first(plan.nextPosition));
  const what = { subjectId, toBlock, nextPosition, finalizedPosition, plan, stored };
  if (json && !yes) process.stdout.write(asJson(asData(what, false)));
  if (!json) process.stdout.write(planText(what));
  if (!yes && !(await confirmed(subjectId, json))) {
    if (!json) process.stdout.write('\nnothing was changed; --yes does it\n');
    return 0;
  }
  const logger = operatorLog();
  const who = { subject: subjectId, toBlock, actedBy: by, reason };
  // Before it as well: interrupted, it has gone back a part of the way.
  logger.info('an operator takes the log back', who);
  const done = await rewind(options, { toPosition: toBlock, dryRun: false, actedBy: by, reason });
  logger.info('an operator took the log back', {
    ...who,
    events: done.events,
    aggregates: done.aggregates,
    nextBlock: done.nextPosition,
    haltCleared: done.halt?.code,
  });
  await logger.close();
  if (json) process.stdout.write(asJson(asData({ ...what, plan: done }, true)));
  else {
    process.stdout.write(
      `\ndone: ${done.events} events of ${done.aggregates} aggregates were taken back; reading goes on at block ${done.nextPosition}\n`,
    );
  }
  return 0;
}

/** Programs are not asked. */
const confirmed = async (subjectId: string, json: boolean): Promise<boolean> =>
  !json && (await confirm(`\nTake ${subjectId} back?`));

interface What {
  readonly subjectId: string;
  readonly toBlock: bigint;
  readonly nextPosition: bigint;
  readonly finalizedPosition: bigint | null;
  readonly plan: RewindResult;
  readonly stored: StoredFrom;
}

function asData({ subjectId, toBlock, nextPosition, plan, stored }: What, done: boolean): object {
  return {
    subject: subjectId,
    done,
    toBlock,
    lastBlockThatStays: plan.toPosition,
    nextBlock: plan.nextPosition,
    blocks: nextPosition - plan.nextPosition,
    events: plan.events,
    eventsByType: stored.events,
    aggregates: plan.aggregates,
    activities: stored.activities,
    markers: stored.markers,
    skippedEvents: stored.skippedEvents,
    discoveredContracts: plan.discovered,
    belowFinality: plan.belowFinality,
    halt: plan.halt,
  };
}

function planText({ subjectId, toBlock, nextPosition, finalizedPosition, plan, stored }: What): string {
  const sum = (counts: Readonly<Record<string, bigint>>): bigint =>
    Object.values(counts).reduce((total, count) => total + count, 0n);
  const byKind = (counts: Readonly<Record<string, bigint>>): string => {
    const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
    return `${sum(counts)}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`;
  };
  const blocks = nextPosition - plan.nextPosition;
  const lines = [
    `${subjectId} goes back from block ${nextPosition - 1n} to ${plan.toPosition === null ? 'its beginning' : `block ${plan.toPosition}`}. Taken back:`,
    '',
    `  blocks                 ${blocks}`,
    `  events                 ${byKind(stored.events)}`,
    `  aggregates             ${plan.aggregates} folded anew`,
    `  activities             ${byKind(stored.activities)}`,
    `  parked aggregates      ${byKind(stored.markers)}`,
    `  skipped events         ${stored.skippedEvents}`,
    `  discovered contracts   ${plan.discovered}`,
    '',
  ];
  if (plan.toPosition !== toBlock) {
    lines.push(`Block ${toBlock} itself is not known any more: what lies between is read again.`);
  }
  lines.push(
    plan.belowFinality
      ? `This goes BELOW FINALITY (block ${finalizedPosition ?? '?'}): what was final is taken back, and finality with it.`
      : 'Nothing that is final is taken back.',
  );
  if (plan.halt !== null)
    lines.push(`The chain stands still (${plan.halt.code}: ${plan.halt.message}); it goes on afterwards.`);
  return `${lines.join('\n')}\n`;
}
