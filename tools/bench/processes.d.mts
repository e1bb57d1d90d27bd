export const ROOT: string;
/** User and system seconds of a process so far. */
export function cpuSeconds(pid: number): number;
/** The flags with which the project starts its workers. */
export const WORKER_FLAGS: readonly string[];
/** Runs a program to its end. @param nodeArgs flags of Node; {@link WORKER_FLAGS} without it. */
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
