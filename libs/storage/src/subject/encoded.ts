import type { PreparedAppend, PreparedRun } from '@imart/pipeline';

/** A range as COPY text. */
export interface EncodedAppend extends PreparedAppend {
  /** The feed number that the text carries: the one expected at the time of encoding. */
  readonly feedNo: bigint;
  readonly text: string;
}

/** A run as COPY text; an empty text is nothing to write. */
export interface EncodedRun extends PreparedRun {
  readonly activities: string;
  readonly snapshots: string;
  readonly tables: ReadonlyMap<string, string>;
}
