import { describe } from '@jest/globals';
import { hasTestRedis } from './redisDatabase';
import { isRedisInstalled } from './redisServer';

/** Specs on a database of `openTestRedis`. Without any Redis they are skipped with a word about it; in CI they run, and fail. */
export function describeWithRedis(name: string, specs: () => void): void {
  describeWhen(hasTestRedis(), name, specs);
}

/** The same for specs that start servers with `startTestRedis`: one that runs already is nothing to them. */
export function describeWithOwnRedis(name: string, specs: () => void): void {
  describeWhen(isRedisInstalled() || process.env['CI'] === 'true', name, specs);
}

function describeWhen(possible: boolean, name: string, specs: () => void): void {
  // Not to the console: jest does not show it of a file that is skipped as a whole.
  if (!possible) process.stderr.write(`redis-server is not installed: "${name}" is skipped\n`);
  (possible ? describe : describe.skip)(name, specs);
}
