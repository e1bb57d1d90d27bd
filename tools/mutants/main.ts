// Breaks the worker on purpose, one guarantee at a time, and fails when the tests do not notice.
//   npm run test:mutants -- [--jobs 2] [--only name,name] [--list]
// Tests that need PostgreSQL share one server: that of IMART_TEST_DATABASE_URL (a superuser's), else an embedded one.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTestServer } from '../../libs/storage/src/testing/testDatabase';
import { MUTANTS } from './all';
import type { Mutant } from './mutants';
import { endSuites, runSuite } from './runSuite';
import { createScratchTree, type ScratchTree } from './scratchTree';
import { outcomeText, suitesOf, tryMutants, type RunSuite } from './tryMutants';

const ROOT = join(__dirname, '../..');

/** @returns the tests that fail on the tree as it is, and the files that cannot be run. */
async function failingBefore(
  trees: readonly ScratchTree[],
  mutants: readonly Mutant[],
  run: RunSuite,
): Promise<readonly string[]> {
  const results = await Promise.all(
    suitesOf(mutants).map((suite, i) => run((trees[i % trees.length] as ScratchTree).root, suite)),
  );
  return results.flatMap(({ failed, broken }) => [...failed, ...broken]);
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
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const jobs = Math.max(1, Math.min(Number(values.jobs) || 1, mutants.length));
  const trees: ScratchTree[] = [];
  process.once('exit', () => {
    endSuites();
    for (const tree of trees) tree.remove();
  });
  // A signal may come twice, to the process and handed on by npm: the second one must not end what the first one cleans up.
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
  // One for each suite that runs at a time: a run writes its report there.
  for (let i = 0; i < Math.max(jobs, suitesOf(mutants).length); i++) trees.push(createScratchTree(ROOT));
  const server = await startTestServer();
  try {
    const run: RunSuite = (root, suite) => runSuite(root, suite, server.adminUrl);
    const failing = await failingBefore(trees, mutants, run);
    if (failing.length > 0) {
      console.error(`the suites fail on the tree as it is:\n  ${failing.join('\n  ')}`);
      return 1;
    }
    console.log(
      `${mutants.length} mutants, ${jobs} at a time; their suites pass on the tree as it is [${seconds()} s]`,
    );
    const outcomes = await tryMutants(trees.slice(0, jobs), mutants, run, (outcome) =>
      console.log(outcomeText(outcome)),
    );
    const missed = outcomes.filter(({ caughtBy }) => caughtBy.length === 0);
    console.log(`${outcomes.length - missed.length} of ${outcomes.length} mutants caught in ${seconds()} s`);
    for (const { mutant } of missed) console.error(`not caught: ${mutant.name}`);
    return missed.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
