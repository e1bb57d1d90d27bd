import type { Mutant, Suite } from './mutants';
import { PatchDoesNotApply } from './patch';
import type { SuiteResult } from './runSuite';
import type { ScratchTree } from './scratchTree';

/** What became of a mutant. */
export interface Outcome {
  readonly mutant: Mutant;
  /** The tests that noticed; empty: nothing did. */
  readonly caughtBy: readonly string[];
  /** Why nothing can be said of it. */
  readonly problem: string | null;
  readonly seconds: number;
}

export type RunSuite = (root: string, suite: Suite) => Promise<SuiteResult>;

/**
 * Tries every mutant, one at a time in each tree, and puts each tree back as it was.
 * @param tell is told of each as it is known.
 * @returns in the order in which they were known. Of one that nothing noticed, or that has a problem, `caughtBy` is empty.
 */
export async function tryMutants(
  trees: readonly Pick<ScratchTree, 'root' | 'apply'>[],
  mutants: readonly Mutant[],
  run: RunSuite,
  tell: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const waiting = [...mutants];
  const outcomes: Outcome[] = [];
  await Promise.all(
    trees.map(async (tree) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const outcome = await tryMutant(tree, mutant, run);
        outcomes.push(outcome);
        tell(outcome);
      }
    }),
  );
  return outcomes;
}

async function tryMutant(
  tree: Pick<ScratchTree, 'root' | 'apply'>,
  mutant: Mutant,
  run: RunSuite,
): Promise<Outcome> {
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
    const { failed, broken } = await run(tree.root, mutant.suite);
    // A file that does not even load has not looked at anything.
    if (broken.length > 0) return outcome([], `its suite could not be run: ${broken[0]}`);
    return outcome(failed, null);
  } finally {
    restore();
  }
}

/** What must pass on the tree as it is, or a failure tells nothing: whole files, and the tests of others that are asked. */
export function suitesOf(mutants: readonly Mutant[]): readonly Suite[] {
  const isWhole = ({ suite }: Mutant): boolean => suite.only === undefined;
  const whole = new Set(mutants.filter(isWhole).flatMap(({ suite }) => suite.files));
  const parts = mutants.filter(
    ({ suite }) => suite.only !== undefined && !suite.files.every((file) => whole.has(file)),
  );
  const suites: Suite[] = [
    { files: [...whole] },
    {
      files: [...new Set(parts.flatMap(({ suite }) => suite.files))],
      only: [...new Set(parts.flatMap(({ suite }) => suite.only ?? []))],
    },
  ];
  return suites.filter(({ files }) => files.length > 0);
}

/** A line about what became of a mutant. */
export function outcomeText({ mutant, caughtBy, problem, seconds }: Outcome): string {
  const [first, ...more] = caughtBy;
  const verdict =
    problem !== null
      ? `PROBLEM: ${problem}`
      : first === undefined
        ? `NOT NOTICED by ${mutant.suite.files.join(', ')}`
        : `caught by "${first}"${more.length === 0 ? '' : ` and ${more.length} more`}`;
  return `${mutant.name} (${mutant.breaks}) -> ${verdict} [${seconds.toFixed(1)} s]`;
}
