import type { Logger } from '@imart/pipeline';

/** Takes everything, shows nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
