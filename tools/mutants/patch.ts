/** A change of one place of one file, as text to find and text to put there. */
export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  /** Code that stands in the file exactly once, however it is broken into lines. */
  readonly search: string;
  readonly replace: string;
}

/** A patch whose place is not found, or found more than once: the code has changed, and the patch must follow. */
export class PatchDoesNotApply extends Error {
  constructor({ file, search }: Patch, places: number) {
    super(
      `${file}: ${places === 0 ? 'no place' : `${places} places`} for the patch that looks for\n    ${search.trim()}`,
    );
    this.name = 'PatchDoesNotApply';
  }
}

/** @throws {PatchDoesNotApply} */
export function applyPatch(source: string, patch: Patch): string {
  const matches = [...source.matchAll(patternOf(patch.search))];
  const [match] = matches;
  if (match === undefined || matches.length > 1) throw new PatchDoesNotApply(patch, matches.length);
  return source.slice(0, match.index) + patch.replace + source.slice(match.index + match[0].length);
}

/** The code with any white space between its tokens, and with or without a comma before a closing bracket. */
function patternOf(search: string): RegExp {
  const tokens = search.match(/[\w$]+|'[^']*'|[^\s\w$]/g) ?? [];
  let pattern = '';
  tokens.forEach((token, i) => {
    const before = tokens[i - 1];
    if (before !== undefined) {
      const words = /^[\w$]/.test(token) && /[\w$]$/.test(before);
      pattern += words ? '\\s+' : /^[)\]}]$/.test(token) && before !== ',' ? ',?\\s*' : '\\s*';
    }
    pattern += token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(pattern, 'g');
}
