/** Tells of a path, relative to the directory that is built, whether the builder gets to see it. */
export type SeesPath = (path: string) => boolean;

/**
 * The rules of a `.dockerignore`: the last pattern that a path, or a directory above it, matches decides. `*` and `?` stay within
 * one name, `**` does not.
 */
export function readIgnoreRules(text: string): SeesPath {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isException = line.startsWith('!');
      const pattern = (isException ? line.slice(1) : line).replace(/^\/|\/$/g, '');
      return { isException, matches: toExpression(pattern) };
    });
  return (path) => {
    const parts = path.replace(/^\.\/|\/$/g, '').split('/');
    const places = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
    let seen = true;
    for (const { isException, matches } of rules) {
      if (places.some((place) => matches.test(place))) seen = isException;
    }
    return seen;
  };
}

function toExpression(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`);
}
