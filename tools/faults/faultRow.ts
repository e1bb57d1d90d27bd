/** A test that proves a row, or a part of it. */
export interface TestRef {
  /** The spec file that runs it, from the repository's root. */
  readonly file: string;
  /** Its title as its source has it: `%s` and the like stand for the values of a table of tests. */
  readonly title: string;
  /** Where the title stands, when that is a file of features that the spec runs. */
  readonly source?: string;
}

/** One fault that systems like this one really had. It has tests, or a reason why it cannot happen here; some have both. */
export interface FaultRow {
  readonly id: string;
  /** What goes wrong, in a few words. */
  readonly fault: string;
  readonly tests: readonly TestRef[];
  /** Why it does not apply, or which part of it. */
  readonly reason?: string;
}

export interface FaultSection {
  readonly name: string;
  readonly rows: readonly FaultRow[];
}

/** Tests of one file. */
export function testsIn(file: string): (title: string) => TestRef {
  return (title) => ({ file, title });
}

const STORES = [
  'libs/testing/src/inMemorySubjectStore.unit.spec.ts',
  'libs/storage/src/subject/subjectStore.int.spec.ts',
];

/**
 * A contract that several specs run.
 * @param ranBy those specs; without it, that of the store in memory and that of the one in Postgres.
 */
export function features(
  source: string,
  ranBy: readonly string[] = STORES,
): (title: string) => readonly TestRef[] {
  return (title) => ranBy.map((file) => ({ file, title, source }));
}
