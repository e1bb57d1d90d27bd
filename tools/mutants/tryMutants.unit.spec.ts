import type { Mutant, Suite } from './mutants';
import { PatchDoesNotApply } from './patch';
import type { SuiteResult } from './runSuite';
import { outcomeText, suitesOf, tryMutants, type Outcome } from './tryMutants';

const mutant = (name: string, suite: Suite = { files: [`${name}.spec.ts`] }): Mutant => ({
  name,
  breaks: 'something',
  patches: [{ file: `${name}.ts`, search: 'a', replace: 'b' }],
  suite,
});
const noticed: SuiteResult = { passed: 1, failed: ['a test'], broken: [] };
const unnoticed: SuiteResult = { passed: 2, failed: [], broken: [] };

/** A tree that remembers what was done to it. */
function createTree(root = 'tree') {
  const done: string[] = [];
  return {
    root,
    done,
    apply: ([patch]: Mutant['patches']): (() => void) => {
      if (patch === undefined || patch.file === 'gone.ts')
        throw new PatchDoesNotApply({ file: 'gone.ts', search: 'a', replace: 'b' }, 0);
      done.push(`broke ${patch.file}`);
      return () => void done.push(`mended ${patch.file}`);
    },
  };
}

async function outcomeOf(result: SuiteResult, name = 'some'): Promise<Outcome> {
  const [outcome] = await tryMutants(
    [createTree()],
    [mutant(name)],
    async () => result,
    () => undefined,
  );
  return outcome as Outcome;
}

describe('a mutant', () => {
  it('is caught by the tests that fail', async () => {
    const outcome = await outcomeOf(noticed);
    expect(outcome).toMatchObject({ caughtBy: ['a test'], problem: null });
    expect(outcomeText(outcome)).toMatch(/^some \(something\) -> caught by "a test" \[/);
  });

  it('is not caught when all tests pass', async () => {
    const outcome = await outcomeOf(unnoticed);
    expect(outcome).toMatchObject({ caughtBy: [], problem: null });
    expect(outcomeText(outcome)).toContain('NOT NOTICED by some.spec.ts');
  });

  it('is a problem, and not caught, when its patch does not apply any more', async () => {
    const outcome = await outcomeOf(noticed, 'gone');
    expect(outcome.caughtBy).toEqual([]);
    expect(outcomeText(outcome)).toMatch(/PROBLEM: gone\.ts: no place for the patch/);
  });

  it('is a problem, and not caught, when its suite does not even load', async () => {
    const outcome = await outcomeOf({
      passed: 0,
      failed: ['another'],
      broken: ['some.spec.ts: a syntax error'],
    });
    expect(outcome.caughtBy).toEqual([]);
    expect(outcome.problem).toContain('a syntax error');
  });
});

describe('mutants', () => {
  it('are tried one at a time in each tree, which is mended after each, also when its suite cannot be run', async () => {
    const tree = createTree();
    const told: string[] = [];
    const run = async (root: string, { files }: Suite): Promise<SuiteResult> => {
      tree.done.push(`ran ${files.join()} in ${root}`);
      if (files[0] === 'b.spec.ts') throw new Error('no space left');
      return noticed;
    };
    await expect(
      tryMutants([tree], [mutant('a'), mutant('b'), mutant('c')], run, (outcome) =>
        told.push(outcome.mutant.name),
      ),
    ).rejects.toThrow('no space left');
    expect(tree.done).toEqual([
      'broke a.ts',
      'ran a.spec.ts in tree',
      'mended a.ts',
      'broke b.ts',
      'ran b.spec.ts in tree',
      'mended b.ts',
    ]);
    expect(told).toEqual(['a']);
  });

  it('are shared by the trees', async () => {
    const trees = [createTree('one'), createTree('two')];
    const outcomes = await tryMutants(
      trees,
      ['a', 'b', 'c', 'd'].map((name) => mutant(name)),
      async () => noticed,
      () => undefined,
    );
    expect(outcomes.map(({ mutant: { name } }) => name).sort()).toEqual(['a', 'b', 'c', 'd']);
    for (const { done } of trees) expect(done).toHaveLength(4);
  });

  it('need of the tree as it is that the tests pass which are asked of any of them', () => {
    const suites = suitesOf([
      mutant('a', { files: ['x.spec.ts'], only: 'one' }),
      mutant('b', { files: ['x.spec.ts', 'y.spec.ts'], only: 'two' }),
      mutant('c', { files: ['z.spec.ts'] }),
      mutant('d', { files: ['z.spec.ts'], only: 'three' }),
      mutant('e', { files: ['x.spec.ts'], only: 'one' }),
    ]);
    expect(suites).toEqual([
      { files: ['z.spec.ts'] },
      { files: ['x.spec.ts', 'y.spec.ts'], only: ['one', 'two'] },
    ]);
    expect(suitesOf([mutant('a')])).toEqual([{ files: ['a.spec.ts'] }]);
  });
});
