export interface UntilOptions {
  /** What is waited for, in words. @defaultValue the condition's own text */
  readonly what?: string;
  /** @defaultValue `60_000` */
  readonly patienceMs?: number;
  /** How long after each look the next one comes. @defaultValue `2` */
  readonly everyMs?: number;
}
/**
 * Waits for a condition that nothing announces: of another process, or behind an interface without events. A look that fails counts as
 * not yet.
 * @throws with what was waited for and the last failure, when it takes longer than it may.
 */
export declare function until(
  condition: () => boolean | Promise<boolean>,
  { what, patienceMs, everyMs }?: UntilOptions,
): Promise<void>;
