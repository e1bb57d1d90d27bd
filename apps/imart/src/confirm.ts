import { createInterface } from 'node:readline/promises';

/** Asks on a terminal; anything but `yes` is no. Without a terminal nobody can say yes. */
export async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} Type yes: `)).trim() === 'yes';
  } finally {
    lines.close();
  }
}
