const COLOUR: Readonly<Record<string, number>> = { debug: 90, info: 36, warn: 33, error: 31 };

/**
 * A log line for people: time of day (UTC), level, message, then the fields as `name=value`; the stacks of errors stand
 * below, indented. The line's values are plain data without secrets.
 */
export function prettyLine(line: Readonly<Record<string, unknown>>, colours: boolean): string {
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { time, level, message, ...fields } = line;
  const below: string[] = [];
  const shown = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (isError(value)) collectStacks(value, name, below);
    return [`${paint(90, `${name}=`)}${isError(value) ? value.message : brief(value)}`];
  });
  const clock = String(time).slice(11, 23);
  const label = paint(COLOUR[String(level)] ?? 0, String(level).toUpperCase().padEnd(5));
  const first = [paint(90, clock), label, String(message), ...shown].join(' ');
  return [first, ...below.map((text) => paint(90, text))].join('\n');
}

interface PlainError {
  readonly message: string;
  readonly stack: string;
  readonly cause?: unknown;
}

function isError(value: unknown): value is PlainError {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

function collectStacks(error: PlainError, title: string, below: string[]): void {
  below.push(...`${title}: ${error.stack}`.split('\n').map((text) => `    ${text}`));
  if (isError(error.cause)) collectStacks(error.cause, 'caused by', below);
}

function brief(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
}
