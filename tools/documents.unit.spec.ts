import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..');

/** Every document that is part of the repository, or about to be. */
const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));

interface Link {
  readonly from: string;
  readonly text: string;
  readonly file: string;
  readonly anchor: string | undefined;
}

/** Links to files of the repository. */
function linksOf(from: string): Link[] {
  const withoutCode = readFileSync(join(ROOT, from), 'utf8').replace(/```[\s\S]*?```/g, '');
  return [...withoutCode.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , target = '']) => !/^[a-z]+:/.test(target))
    .map(([, text = '', target = '']) => {
      const [path = '', anchor] = target.split('#');
      return { from, text, file: path === '' ? from : join(dirname(from), path), anchor };
    });
}

/** What a heading is called in a link. */
function anchorsOf(file: string): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('documents', () => {
  const links = documents.flatMap(linksOf);

  it('link to files and headings that are there', () => {
    expect(links.length).toBeGreaterThan(50);
    const broken = links.filter(
      ({ file, anchor }) =>
        !existsSync(join(ROOT, file)) ||
        (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  it('name tests that are there: what stands in quotes is a test of the linked file', () => {
    const named = links.filter(
      ({ text, file }) => /^".*"$/.test(text) && /\.(spec|features)\.ts$/.test(file),
    );
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter(
      ({ text, file }) => !readFileSync(join(ROOT, file), 'utf8').includes(text.slice(1, -1)),
    );
    expect(missing).toEqual([]);
  });

  it('link from the README to every document of docs/', () => {
    const linked = links.filter(({ from }) => from === 'README.md').map(({ file }) => file);
    const pages = documents.filter((file) => /^docs\/[^/]+\.md$/.test(file));
    expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
  });
});
