/**
 * What a failure means for the loop that meets it. `retry`: back off and try again, with another provider where there
 * is one. `park`: set this aggregate aside and go on. `stop`: an invariant is broken; go no further and say so.
 */
export type Disposition = 'retry' | 'park' | 'stop';

/** What every error of the worker carries besides its message. */
export interface WorkerErrorOptions {
  /** Machine-readable, stable between releases, documented in docs/errors.md. */
  readonly code: string;
  readonly disposition: Disposition;
  readonly cause?: unknown;
  /** Structured context. Never a secret: no URL with its path, query or credentials, no key. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * The base of every error the worker throws on purpose. Its message names the thing, the value and what to do, and is
 * safe to log.
 */
export class WorkerError extends Error {
  readonly code: string;
  readonly disposition: Disposition;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, options: WorkerErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.disposition = options.disposition;
    this.fields = options.fields ?? {};
  }
}

/** A place that its Subject's SeqNo layout cannot hold. The event becomes an `Undecodable` one at its place. */
export class SeqNoRangeError extends WorkerError {
  constructor(place: { position: bigint; index: number; part: number; layout: object }) {
    super(
      `place (position ${place.position}, index ${place.index}, part ${place.part}) does not fit the SeqNo layout ${JSON.stringify(place.layout)}`,
      { code: 'SEQ_NO_RANGE', disposition: 'park', fields: { ...place } },
    );
  }
}

/** A block that the source has otherwise than it was read. */
export interface DifferentBlock {
  readonly position: bigint;
  readonly storedHash: string;
  readonly seenHash: string;
  /** Labels of the endpoints that have it so. */
  readonly seenBy: readonly string[];
}

/** The source has taken back what was held to be final. Nothing was written: an operator decides how far to go back. */
export class ReorgTooDeepError extends WorkerError {
  /**
   * @param ancestor the last position that both branches share, where it is known.
   * @param finalized the position that was held to be final; `-1n`: none, but no remembered block is shared.
   * @param seen the lowest block that is known to be another one.
   */
  constructor(
    subjectId: string,
    ancestor: bigint | null,
    finalized: bigint,
    seen: DifferentBlock | null = null,
  ) {
    const shared = ancestor === null ? 'no block that is remembered' : `block ${ancestor} at most`;
    const final = finalized < 0n ? '' : ` below block ${finalized}, which was final`;
    const lowest =
      seen === null
        ? ''
        : `block ${seen.position} was ${seen.storedHash} when it was read, and is ${seen.seenHash} now ` +
          `(${seen.seenBy.join(', ')}): `;
    const unknown =
      ancestor === null && seen !== null
        ? `, N being a block below ${seen.position} that still has the hash that was stored`
        : '';
    super(
      `${subjectId}: ${lowest}the chain is another one${final}; it shares ${shared}. Nothing was changed. ` +
        `When the provider is right: imart rewind --subject ${subjectId} --to-block ${ancestor ?? 'N'}${unknown}`,
      { code: 'REORG_TOO_DEEP', disposition: 'stop', fields: { subjectId, ancestor, finalized, ...seen } },
    );
  }
}

/** One setting that cannot be used, and why. */
export interface ConfigProblem {
  readonly setting: string;
  readonly problem: string;
}

/** Settings that cannot be used. All problems are listed at once; nothing has been connected to. */
export class ConfigError extends WorkerError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      `${problems.length === 1 ? 'a setting is' : `${problems.length} settings are`} not usable:\n` +
        problems.map((p) => `  ${p.setting}: ${p.problem}`).join('\n'),
      { code: 'CONFIG', disposition: 'stop', fields: { settings: problems.map((p) => p.setting) } },
    );
    this.problems = problems;
  }
}

/** The fate of any thrown value. What is not a {@link WorkerError} is retried under the loop's bound. */
export function dispositionOf(error: unknown): Disposition {
  return error instanceof WorkerError ? error.disposition : 'retry';
}

/** The message of any thrown value, for a log line. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
