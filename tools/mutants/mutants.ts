import type { Patch } from './patch';

/** The smallest suite that must notice. */
export interface Suite {
  /** Spec files from the repository's root. */
  readonly files: readonly string[];
  /** Only tests whose titles contain this, or one of these. @defaultValue all of the files */
  readonly only?: string | readonly string[];
}

/** A build that is broken on purpose: one guarantee is taken out. */
export interface Mutant {
  /** Stable, for the command line: lower case words. */
  readonly name: string;
  /** What no longer holds. */
  readonly breaks: string;
  readonly patches: readonly Patch[];
  readonly suite: Suite;
}
