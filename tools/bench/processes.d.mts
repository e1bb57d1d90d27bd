export const ROOT: string;
/** User and system seconds of a process so far. */
export function cpuSeconds(pid: number): number;
/** Runs a program to its end. */
export function runToEnd(
  script: string,
  env: Readonly<Record<string, string>>,
  args?: readonly string[],
  nodeArgs?: readonly string[],
): Promise<{ seconds: number; cpu: number; rssMb: number; output: string }>;
/** Starts a program and waits for a line of its output that matches. */
export function startUntil(
  script: string,
  args: readonly string[],
  ready: RegExp,
): Promise<{ pid: number; match: RegExpExecArray; kill(): void; stop(): Promise<unknown> }>;
export function machine(): string;
export function median(values: readonly number[]): number;
