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
  if (!possible) console.warn(`redis-server is not installed: "${name}" is skipped`);
  (possible ? describe : describe.skip)(name, specs);
}
