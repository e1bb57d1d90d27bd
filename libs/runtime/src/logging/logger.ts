/** Structured context of a log line. `bigint` is written as a decimal string, an `Error` with its code, stack and causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where a part of the program says what happens. Never throws and never waits. A message is one line, in the present
 * tense, without values that belong into fields.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line; the line's own fields win. */
  child(fields: LogFields): Logger;
}

/** Says nothing: for tests, and for callers that give no logger. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
