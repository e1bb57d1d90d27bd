import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './usageError';

type Options = NonNullable<ParseArgsConfig['options']>;
type Read<T extends Options, P extends boolean> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: P }>
>;

/**
 * The options of a command, and the words that stand beside them.
 * @param allowPositionals whether it takes such words.
 * @throws {UsageError} when there is one that the command does not have, or a value is missing.
 */
export function readOptions<T extends Options, P extends boolean = false>(
  args: readonly string[],
  options: T,
  allowPositionals: P = false as P,
): Read<T, P> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
