import { join } from 'node:path';
import * as ts from 'typescript';
import { listLibs, ROOT, type Lib } from './libs';

/** The names that a lib exports, types included; `type` before those that exist for the compiler only. */
function exportedNames(libs: readonly Lib[]): Map<string, string[]> {
  const configFile = join(ROOT, 'tsconfig.base.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(configFile, (path) => ts.sys.readFile(path)).config,
    ts.sys,
    ROOT,
  );
  const entries = libs.map((lib) => join(lib.path, 'src', 'index.ts'));
  const program = ts.createProgram(entries, { ...options, noEmit: true, composite: false });
  const checker = program.getTypeChecker();
  return new Map(
    libs.map((lib, i) => {
      const source = program.getSourceFile(entries[i] ?? '');
      const symbol = source && checker.getSymbolAtLocation(source);
      if (symbol === undefined) throw new Error(`${entries[i]} exports nothing`);
      const names = checker.getExportsOfModule(symbol).map((exported) => {
        const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        return target.flags & ts.SymbolFlags.Value ? exported.name : `type ${exported.name}`;
      });
      return [lib.manifest.name, names.sort()];
    }),
  );
}

// A change here is a change of what users of the packages may rely on: npx jest publicSurface -u --selectProjects unit
describe('public surface of the packages', () => {
  const libs = listLibs().filter((lib) => lib.hasEntry);
  const names = exportedNames(libs);

  it('leaves no package without an entry point', () => {
    expect(listLibs().flatMap((lib) => (lib.hasEntry ? [] : [lib.manifest.name]))).toEqual([]);
  });

  it.each(libs.map((lib) => lib.manifest.name))('%s exports these names', (name) => {
    expect(names.get(name)).toMatchSnapshot();
  });

  it.each(libs.map((lib) => [lib.manifest.name, lib] as const))(
    '%s has one entry point, with types, and the repository’s version and licence',
    (_name, { manifest }) => {
      expect(manifest).toMatchObject({
        version: '0.1.0',
        license: 'Apache-2.0',
        main: './dist/index.js',
        types: './dist/index.d.ts',
        exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      });
    },
  );
});
