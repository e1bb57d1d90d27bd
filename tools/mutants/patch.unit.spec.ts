import { applyPatch, PatchDoesNotApply } from './patch';

const patch = (search: string, replace = 'X'): { file: string; search: string; replace: string } => ({
  file: 'some/file.ts',
  search,
  replace,
});

describe('a patch', () => {
  it('finds its place however the code is broken into lines', () => {
    const search = "if (a.b(c, 'd e')) return [1, 2];";
    const written =
      "before;\n  if (\n    a.b(\n      c,\n      'd e',\n    )\n  )\n    return [\n 1,\n 2,\n ];\nafter;";
    expect(applyPatch(written, patch(search))).toBe('before;\n  X\nafter;');
    expect(applyPatch(`before; ${search} after;`, patch(search))).toBe('before; X after;');
  });

  it('puts in what it is given as it is', () => {
    expect(applyPatch('a = 1;', patch('a = 1', 'a = `$&` + $1'))).toBe('a = `$&` + $1;');
  });

  it('does not apply where its place is missing, there twice, or only like it', () => {
    expect(() => applyPatch('ab', patch('a b'))).toThrow(PatchDoesNotApply);
    expect(() => applyPatch('f(x); f(x);', patch('f(x)'))).toThrow('2 places');
    expect(() => applyPatch("f('a  b')", patch("f('a b')"))).toThrow('no place');
    expect(() => applyPatch('foo(x)', patch('bar(x)'))).toThrow('some/file.ts');
  });
});
