import type { FakeBlock, Branch } from './fakeChain';

/** What a scripted method answers; `undefined`: what a healthy node would. */
export type Scripted = { readonly result: unknown } | { readonly error: unknown } | undefined;

/**
 * How a node misbehaves. All of it may be changed while it runs; what is not a function may also be set from outside, as JSON
 * (`fake_rules`).
 */
export interface FakeRpcRules {
  /** @defaultValue that of the chain */
  chainId?: number;
  /** The last block it has. @defaultValue that of the chain */
  head?: number;
  /** How many blocks it is behind the chain. @defaultValue 0 */
  lag?: number;
  /** The branch it is on. @defaultValue whatever the chain is */
  branch?: Branch;
  /** `null`: it has no such block; `error`: it fails when asked. @defaultValue by `finalityDepth` */
  finalized?: number | null | 'error';
  /** How far below its head its finalized block is. @defaultValue 64 */
  finalityDepth?: number;
  /** Blocks below are thrown away: their logs and receipts are refused, their headers are `null`. */
  prunedBelow?: number;
  /** Heights that it has no answer for, though its head is above them. */
  withheld?: readonly number[];

  /** Most blocks of a query. */
  blocksMax?: number;
  /** Most logs of an answer, refused with a range that would do, or not: see `suggests`. */
  logsMax?: number;
  /** Which range a refusal names: one that would do, just what was asked, that one backwards, or one beyond it. */
  suggests?: 'right' | 'asked' | 'inverted' | 'beyond';
  /** Answers are cut here, without a word. */
  silentCap?: number;
  /** Every n-th log of an answer to a range is left out; 1: all of them. Asked by the hash of its block, they are there. */
  omitsEvery?: number;
  /** The same for the logs that this names. */
  omits?: (log: Readonly<Record<string, unknown>>) => boolean;
  /** Logs are there twice. */
  repeatsLogs?: boolean;
  /** Logs say that they are of this block. */
  logBlockHash?: string;
  /** Logs of blocks that were taken back are given too, marked as removed. */
  removedLogs?: boolean;
  /** Logs carry the time of their block. */
  blockTimestamps?: boolean;
  /** Bloom of a block. @defaultValue that of its logs */
  bloom?: (block: FakeBlock) => string;
  /** Receipts are `null`, or refused as a method that it does not have. */
  receipts?: 'null' | 'unsupported';

  reverseBatches?: boolean;
  /** The last answer of a batch is missing. */
  partialBatches?: boolean;
  rateLimited?: 'http' | 'code' | 'credits';
  /** Seconds that a rate limit asks for. */
  retryAfter?: number;
  /** A page for people, with this status. */
  html?: number;
  /** The answer ends in its middle. */
  cutAnswers?: boolean;
  /** Connections are closed without an answer. */
  down?: boolean;
  /** Before an answer, in milliseconds. */
  delayMs?: number;

  /** Several nodes behind one URL: request by request, the next one's rules come on top. */
  nodes?: readonly FakeRpcRules[];
  /** Drawn for each request; what it gives comes on top. */
  chance?: () => FakeRpcRules | undefined;

  /** Before anything else. */
  onCall?: (method: string, params: readonly unknown[]) => Scripted;
  /** After it: what becomes of a healthy answer. */
  changeResult?: (method: string, params: readonly unknown[], result: unknown) => unknown;
  /** Instead of it all. */
  onHttp?: (
    body: string,
  ) => { status?: number; body: string | Buffer; headers?: Record<string, string> } | 'hang' | undefined;
}

/** Faults that pass by themselves when a request is sent again: what they change is the time it takes. */
export const PASSING_FAULTS = {
  gateway: { html: 502 },
  html: { html: 200 },
  tooManyRequests: { rateLimited: 'http' },
  rateCode: { rateLimited: 'code' },
  credits: { rateLimited: 'credits' },
  cut: { cutAnswers: true },
  reset: { down: true },
  partialBatch: { partialBatches: true },
  reversedBatch: { reverseBatches: true },
  repeatedLogs: { repeatsLogs: true },
  wrongBlock: { logBlockHash: `0x${'ee'.repeat(32)}` },
  noReceipts: { receipts: 'null' },
  lagging: { lag: 1 },
  laggingMore: { lag: 3 },
  noFinality: { finalized: 'error' },
} as const satisfies Readonly<Record<string, FakeRpcRules>>;

export type PassingFault = keyof typeof PASSING_FAULTS;

/**
 * Draws a passing fault for each request.
 * @param rate of the requests that meet one, from 0 to 1.
 */
export function unlucky(
  random: () => number,
  rate: number,
  faults: readonly PassingFault[] = Object.keys(PASSING_FAULTS) as PassingFault[],
): () => FakeRpcRules | undefined {
  return () => {
    if (random() >= rate) return undefined;
    return PASSING_FAULTS[faults[Math.floor(random() * faults.length)] as PassingFault];
  };
}
