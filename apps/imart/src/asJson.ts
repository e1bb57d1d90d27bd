/** For programs: whole numbers of the chain as decimal text, because a JSON number loses digits (D4). */
export function asJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one),
    2,
  );
  return `${text}\n`;
}
