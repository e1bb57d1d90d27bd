// Breaks the worker on purpose, one guarantee at a time, and fails when the tests do not notice.
//   npm run test:mutants -- [--jobs 2] [--only name,name] [--list]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS } from './all';
import type { Mutant, Suite } from './mutants';
import { PatchDoesNotApply } from './patch';
import { runSuite } from './runSuite';
import { createScratchTree, type ScratchTree } from './scratchTree';

const ROOT = join(__dirname, '../..');

/** What became of a mutant. */
interface Outcome {
  readonly mutant: Mutant;
  /** The tests that noticed; empty: nothing did. */
  readonly caughtBy: readonly string[];
  /** Why nothing can be said of it. */
  readonly problem: string | null;
  readonly seconds: number;
}

async function tryMutant(tree: ScratchTree, mutant: Mutant): Promise<Outcome> {
  const started = performance.now();
  const outcome = (caughtBy: readonly string[], problem: string | null): Outcome => ({
    mutant,
    caughtBy,
    problem,
    seconds: (performance.now() - started) / 1000,
  });
  let restore: () => void;
  try {
    restore = tree.apply(mutant.patches);
  } catch (error) {
    if (error instanceof PatchDoesNotApply) return outcome([], error.message);
    throw error;
  }
  try {
    const { failed, broken } = await runSuite(tree.root, mutant.suite);
    // A file that does not even load has not looked at anything.
    if (broken.length > 0) return outcome([], `its suite could not be run: ${broken[0]}`);
    return outcome(failed, null);
  } finally {
    restore();
  }
}

/** The suites must pass on the tree as it is, or a failure tells nothing. */
async function checkSuites(tree: ScratchTree, mutants: readonly Mutant[]): Promise<string[]> {
  const files = [...new Set(mutants.flatMap(({ suite }) => suite.files))];
  const result = await runSuite(tree.root, { files } satisfies Suite);
  return [...result.failed, ...result.broken];
}

function tell({ mutant, caughtBy, problem, seconds }: Outcome): void {
  const [first, ...more] = caughtBy;
  const verdict =
    problem !== null
      ? `PROBLEM: ${problem}`
      : first === undefined
        ? `NOT NOTICED by ${mutant.suite.files.join(', ')}`
        : `caught by "${first}"${more.length === 0 ? '' : ` and ${more.length} more`}`;
  console.log(`${mutant.name} (${mutant.breaks}) -> ${verdict} [${seconds.toFixed(1)} s]`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      jobs: { type: 'string', default: '2' },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const wanted = values.only?.split(',');
  const unknown = wanted?.filter((name) => !MUTANTS.some((mutant) => mutant.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}; --list names them all`);
  const mutants = MUTANTS.filter(({ name }) => wanted?.includes(name) ?? true);
  if (values.list) {
    for (const { name, breaks } of mutants) console.log(`${name}: ${breaks}`);
    return 0;
  }
  const started = performance.now();
  const jobs = Math.max(1, Math.min(Number(values.jobs) || 1, mutants.length));
  const trees: ScratchTree[] = [];
  const removeTrees = (): void => trees.forEach((tree) => tree.remove());
  process.once('SIGINT', () => process.exit(130));
  process.once('exit', removeTrees);
  for (let i = 0; i < jobs; i++) trees.push(createScratchTree(ROOT));

  const failing = await checkSuites(trees[0] as ScratchTree, mutants);
  if (failing.length > 0) {
    console.error(`the suites fail on the tree as it is:\n  ${failing.join('\n  ')}`);
    return 1;
  }
  console.log(`${mutants.length} mutants, ${jobs} at a time; their suites pass on the tree as it is`);

  const waiting = [...mutants];
  const outcomes: Outcome[] = [];
  await Promise.all(
    trees.map(async (tree) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const outcome = await tryMutant(tree, mutant);
        outcomes.push(outcome);
        tell(outcome);
      }
    }),
  );
  const missed = outcomes.filter(({ caughtBy }) => caughtBy.length === 0);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${outcomes.length - missed.length} of ${outcomes.length} mutants caught in ${seconds} s`);
  for (const { mutant } of missed) console.error(`not caught: ${mutant.name}`);
  return missed.length === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
