/** Where `npm start` writes: lines that stay, and beneath them, on a terminal, live ones that are written over and over. */
export interface Screen {
  readonly isTerminal: boolean;
  say(line: string): void;
  /** A step that is done, and where what it started is. */
  step(what: string, detail: string): void;
  /** Writes the live lines, over those before. On a terminal only. */
  live(lines: readonly string[]): void;
}

const ERASE_LINE = '\r\u001b[2K';
const LINE_UP = '\u001b[1A';

export function createScreen(out: NodeJS.WriteStream = process.stdout): Screen {
  const isTerminal = out.isTTY === true;
  let liveLines = 0;
  const erase = (): string =>
    liveLines === 0 ? '' : ERASE_LINE + `${LINE_UP}${ERASE_LINE}`.repeat(liveLines - 1);
  const say = (line: string): void => {
    out.write(`${erase()}${line}\n`);
    liveLines = 0;
  };
  return {
    isTerminal,
    say,
    step: (what, detail) => say(`  ${what.padEnd(12)} ${detail}`),
    live(lines) {
      // A terminal that does not know its size says 0.
      const width = Math.max((out.columns || 100) - 3, 40);
      const text = erase() + lines.map((line) => `  ${line.slice(0, width)}`).join('\n');
      liveLines = lines.length;
      out.write(text);
    },
  };
}
