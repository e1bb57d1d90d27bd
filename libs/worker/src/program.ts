import type { SeqNoCodec, Subject, SubjectId, SubjectKind, WorkerError } from '@imart/core';
import type { RangeSource } from '@imart/pipeline';
import type { CheckResult, LoadedConfig, Logger, Metrics } from '@imart/runtime';
import type { FollowedSubject } from '@imart/storage';
import type { WorkerConfig } from './settings';
import type { PositionWords } from './words';

/** What a program's arguments set: names and texts of settings, as an environment has them. */
export type ArgumentSettings = readonly (readonly [name: string, value: string])[];

/**
 * A worker for one kind of chains: what this package does not know by itself.
 * @typeParam C the program's settings.
 * @typeParam R the same, of a process that reads the chain.
 */
export interface WorkerProgram<C extends WorkerConfig = WorkerConfig, R extends C = C> {
  /** What it is called: in its log lines, by the database, before what it says of its settings. */
  readonly name: string;
  /** What it does, after its name and a colon: the first line of `--help`. */
  readonly summary: string;
  readonly words: ChainWords;
  readonly seqNos: SeqNoCodec;
  /** The namespace of its subjects' ids (CAIP-2), before the colon: `eip155`. */
  readonly namespace: string;
  /** Chains of other kinds that its database may have: where the reducers have changed, whoever starts first rebuilds the states of all. */
  readonly kindsBeside: readonly SubjectKind[];
  /** The setting that says which chain, where the database has several: after the colon. */
  readonly chainSetting: string;
  /** This far below the head, in positions, the worker counts as catching up, and no second reading is made. */
  readonly nearHeadPositions: bigint;
  /**
   * Reads the settings, those of the arguments before the environment's. Connects to nothing.
   * @throws {ConfigError} with all problems at once.
   */
  loadConfig(args: ArgumentSettings): Promise<LoadedConfig<C>>;
  /** What {@link readsChain} says, as the program's own types have it. */
  readsChain(config: C): config is R;
  /** The subject that the settings name; `null` where they leave it to the source, or to the database. */
  subjectOf(config: C): SubjectId | null;
  /**
   * Opens the chain, as far as needed to know which one it is; waits for a source that answers.
   * @throws what ends the process; anything after the signal has aborted.
   */
  openChain(config: R, options: OpenChainOptions): Promise<OpenedChain>;
}

/** What one kind of chains calls its things, in texts. */
export interface ChainWords {
  readonly position: PositionWords;
  /** What is read and turned into events, many of them, in lower case: `logs`, `transactions`. */
  readonly records: string;
}

export interface OpenChainOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** As of {@link Shutdown}: what is opened is closed by these. */
  readonly onClose: (name: string, close: () => void | Promise<void>) => void;
}

/** A chain that a process reads. */
export interface OpenedChain {
  readonly subject: Subject;
  /** What of it is followed, as one text that is the same for the same settings. */
  readonly followed: string;
  /**
   * Why it may not be read into a database that has these subjects, its own among them where it is there already; `null`: it may.
   * @defaultValue it always may
   */
  readonly refused?: (registered: readonly FollowedSubject[]) => WorkerError | null;
  /** Whether its source answers. */
  health(): CheckResult;
  /** Registers what an operator must know of the source. Everything is to be read when somebody asks. */
  registerMetrics(metrics: Metrics): void;
  /** Fields for the last log line: counts of the source. */
  summary(): Readonly<Record<string, unknown>>;
  /** `null`: the chain cannot be read a second time. */
  readonly secondReadings: SecondReadings | null;
}

/** How a chain is read again, behind the live stream. */
export interface SecondReadings {
  /** A source with connections of its own; who has it made closes it. */
  openSource(): { readonly source: RangeSource; close(): void };
  /** What of the later text of what is followed is not in the earlier one: its past is read from the start on. */
  followedAdded(before: string, now: string): readonly string[];
  /** Most positions in a second, of what is read again without being followed newly; 0: that is not. */
  readonly positionsPerSecond: number;
  /** How hard that is looked at. */
  readonly depth: 'thorough' | 'whole';
}
