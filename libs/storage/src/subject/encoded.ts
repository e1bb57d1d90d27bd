import type { PreparedAppend, PreparedRun } from '@imart/pipeline';
import type { CopyText } from './script';

/** A range as COPY text. */
export interface EncodedAppend extends PreparedAppend {
  /** The feed number that the text carries: the one expected at the time of encoding. */
  readonly feedNo: bigint;
  readonly text: CopyText;
}

/** A run as COPY text; no pieces are nothing to write. */
export interface EncodedRun extends PreparedRun {
  readonly activities: CopyText;
  readonly snapshots: CopyText;
  readonly tables: ReadonlyMap<string, CopyText>;
}
