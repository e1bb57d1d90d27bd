/** @returns what differs; empty when every row of every table is as expected. */
export function verify(
  query: (text: string) => Promise<{ rows: unknown[] }>,
  expected: unknown,
  schema?: string,
): Promise<string[]>;
