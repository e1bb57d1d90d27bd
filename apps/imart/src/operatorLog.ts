import { createLogger, type ProcessLogger } from '@imart/runtime';

/** Where a command that changes what operators decide about writes down who ran it and why: lines on stderr. */
export function operatorLog(): ProcessLogger {
  return createLogger({ level: 'info', fields: { app: 'imart' }, output: process.stderr });
}
