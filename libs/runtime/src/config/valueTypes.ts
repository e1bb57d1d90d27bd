import type { ZodType } from 'zod';

/** How the text of a setting becomes a value. */
export interface ValueType<T> {
  /** As people call it, for the table of settings: `integer from 1 to 65535`. */
  readonly label: string;
  /**
   * @throws {Error} whose message completes "SETTING: ..." and does not contain the text, which may be a secret.
   */
  parse(text: string): T;
}

/** Any text. */
export const text: ValueType<string> = { label: 'text', parse: (value) => value };

/** A whole number that fits a JavaScript number: counts, sizes and durations, never an amount or an id of a chain. */
export function integer(bounds: { min?: number; max?: number } = {}): ValueType<number> {
  const label = `integer${between(bounds.min, bounds.max)}`;
  return {
    label,
    parse(value) {
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
      if (
        !Number.isSafeInteger(number) ||
        number < (bounds.min ?? -Infinity) ||
        number > (bounds.max ?? Infinity)
      ) {
        throw new Error(`must be an ${label}`);
      }
      return number;
    },
  };
}

/** A whole number of any size: block numbers, amounts. */
export function bigInteger(bounds: { min?: bigint; max?: bigint } = {}): ValueType<bigint> {
  const label = `integer${between(bounds.min, bounds.max)}`;
  return {
    label,
    parse(value) {
      const number = /^[+-]?\d{1,1000}$/.test(value) ? BigInt(value.replace('+', '')) : undefined;
      const outside =
        number === undefined ||
        (bounds.min !== undefined && number < bounds.min) ||
        (bounds.max !== undefined && number > bounds.max);
      if (outside) throw new Error(`must be an ${label}`);
      return number;
    },
  };
}

/** A TCP port; 0 stands for a free one. */
export const port: ValueType<number> = {
  ...integer({ min: 0, max: 65535 }),
  label: 'port, 0 for a free one',
};

/** `true` or `false`; `1`, `0`, `yes`, `no`, `on`, `off` too, in any case. */
export const flag: ValueType<boolean> = {
  label: 'true or false',
  parse(value) {
    if (/^(true|1|yes|on)$/i.test(value)) return true;
    if (/^(false|0|no|off)$/i.test(value)) return false;
    throw new Error('must be true or false');
  },
};

/** One of a few words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): ValueType<Word> {
  const label = words.join(' | ');
  return {
    label,
    parse(value) {
      const found = words.find((word) => word === value);
      if (found === undefined) throw new Error(`must be one of ${words.join(', ')}`);
      return found;
    },
  };
}

/** A URL with one of these schemes, named without their colon. */
export function url(...schemes: readonly string[]): ValueType<string> {
  const label = `${schemes.join(' or ')} URL`;
  return {
    label,
    parse(value) {
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      if (parsed === undefined || !schemes.includes(parsed.protocol.slice(0, -1)) || parsed.hostname === '') {
        throw new Error(
          `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
        );
      }
      return value;
    },
  };
}

/** Items separated by commas, at least one; spaces around them do not count. Every item that is wrong is told. */
export function listOf<T>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    label: `list of ${item.label}, separated by commas`,
    parse(value) {
      const parts = value.split(',').map((part) => part.trim());
      const problems: string[] = [];
      const items = parts.flatMap((part, i) => {
        try {
          if (part === '') throw new Error('is empty');
          return [item.parse(part)];
        } catch (error) {
          problems.push(`item ${i + 1} ${error instanceof Error ? error.message : String(error)}`);
          return [];
        }
      });
      if (problems.length > 0) throw new Error(problems.join('; '));
      return items;
    },
  };
}

/** What a zod schema makes of the text. Its messages must not repeat the text of a secret. */
export function zodValue<T>(label: string, schema: ZodType<T>): ValueType<T> {
  return {
    label,
    parse(value) {
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      throw new Error(result.error.issues.map((issue) => issue.message).join('; '));
    },
  };
}

function between(min: number | bigint | undefined, max: number | bigint | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
