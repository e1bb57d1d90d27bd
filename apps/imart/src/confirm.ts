import { createInterface } from 'node:readline/promises';

/** Asks on a terminal; anything but `yes` is no, Ctrl-C and the end of input too. Without a terminal nobody can say yes. */
export async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<boolean>((resolve) => {
      // A question whose terminal is closed is never answered.
      lines.once('close', () => resolve(false));
      lines.question(`${question} Type yes: `).then(
        (answer) => resolve(answer.trim() === 'yes'),
        () => resolve(false),
      );
    });
  } finally {
    lines.close();
  }
}
