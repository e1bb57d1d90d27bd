/** One command of the command line. */
export interface Command {
  /** In a few words, for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /**
   * @returns the exit code: 0 done, 1 refused or failed.
   * @throws {UsageError} @throws {ConfigError} exit code 2; nothing was changed.
   */
  run(args: readonly string[]): Promise<number>;
}
