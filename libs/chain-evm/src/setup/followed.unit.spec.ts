import { followedAdded, followedOn, followedText } from './followed';

const A = `0x${'a'.repeat(40)}`;
const B = `0x${'b'.repeat(40)}`;
const market = (name: string, address: string) => ({ name, isFile: false, address });

describe('what is followed, as one text', () => {
  it('is the same for the same settings, in whatever order they are written', async () => {
    const one = await followedOn(1, [market('imart', B), market('imart', A), market('mixverse', A)], {
      kind: 'factories',
    });
    const other = await followedOn(1, [market('mixverse', A), market('imart', A), market('imart', B)], {
      kind: 'factories',
    });
    expect(followedText(one)).toBe(followedText(other));
    expect(followedText(one)).toBe(`collections:,imart:${A}+${B},mixverse:${A}`);
  });

  it('tells which contracts and marketplaces are new, and which it has always had', () => {
    const before = `collections:,imart:${A}`;
    expect(followedAdded(before, before)).toEqual([]);
    expect(followedAdded(before, `collections:${B},imart:${A}+${B},mixverse:${A}`)).toEqual([
      `collections:${B}`,
      `imart:${B}`,
      `mixverse:${A}`,
    ]);
  });

  it('tells nothing new of what is left out, and of single contracts where all were followed', () => {
    expect(followedAdded(`collections:all,imart:${A}+${B}`, `collections:${A},imart:${A}`)).toEqual([]);
    expect(followedAdded(`collections:${A}`, 'collections:all')).toEqual(['collections:all']);
    expect(followedAdded(`collections:,imart:${A}`, 'collections:')).toEqual([]);
  });

  it('says nothing where it is not known what was followed', () => {
    expect(followedAdded('', `collections:,imart:${A}`)).toEqual([]);
  });
});
