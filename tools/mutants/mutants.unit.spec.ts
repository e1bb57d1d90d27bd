import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS } from './all';
import { applyPatch } from './patch';

const ROOT = join(__dirname, '../..');

describe('a build that is broken on purpose', () => {
  it.each(MUTANTS.map(({ name, ...mutant }) => [name, mutant] as const))(
    'finds its place in the code as it is: %s (Q10)',
    (_name, { patches, suite }) => {
      for (const patch of patches) {
        const source = readFileSync(join(ROOT, patch.file), 'utf8');
        expect(applyPatch(source, patch)).not.toBe(source);
      }
      for (const file of suite.files) expect(existsSync(join(ROOT, file))).toBe(true);
    },
  );

  it('has a name of its own', () => {
    const names = MUTANTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });
});
