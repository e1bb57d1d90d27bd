import { retryDelayMs, type RetrySchedule } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import {
  RpcAnswerRefusedError,
  RpcError,
  RpcInconsistentError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  WrongChainError,
} from './errors';

/** Waits of an endpoint that failed: full jitter below 100 ms, 200 ms, 400 ms ... 10 s. */
export const RPC_RETRY: RetrySchedule = { firstMs: 100, maxMs: 10_000 };

/** Attempts at other endpoints before one that was to be avoided is asked after all. */
const AVOID_ATTEMPTS = 2;

/** No `Retry-After` is honoured beyond this. */
export const RETRY_AFTER_MAX_MS = 120_000;

/** A server that can be asked. */
export interface PoolEndpoint {
  /** Redacted: safe to log. */
  readonly label: string;
  /** Counters since the start. */
  readonly stats: object;
  /** Closes kept connections. */
  close(): void;
}

export interface EndpointPoolOptions<E extends PoolEndpoint> {
  /** In order of preference: the first one that is well is asked. */
  readonly endpoints: readonly E[];
  /**
   * Asks an endpoint whether it serves the chain that is followed.
   * @throws {WrongChainError} it serves another one.
   * @throws {RpcError} it gives no answer.
   */
  readonly verify: (endpoint: E, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or early when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** @defaultValue {@link RPC_RETRY} */
  readonly schedule: RetrySchedule;
  /** Answers to one question that contradict themselves before the worker stops. @defaultValue 20 */
  readonly refusedAnswersMax: number;
  /** How often it is said that no endpoint answers. @defaultValue 10,000 */
  readonly complainEveryMs: number;
  /** Called when the last usable endpoint fails, and when one answers again. */
  readonly onAvailability?: ((available: boolean, reason: string) => void) | undefined;
}

export interface PoolRun<T, E> {
  /** What is asked for, for log lines: `blocks 5..9`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** An endpoint that is to be asked only when there is no other that answers. */
  readonly avoid?: E | undefined;
  /** Leave with this error instead of asking again; `attempt` counts from 1. */
  readonly giveUp?: ((error: RpcError, attempt: number) => boolean) | undefined;
  /** All of one question goes to one endpoint; another attempt begins anew, perhaps at another one. */
  work(endpoint: E): Promise<T>;
}

/** A question to one endpoint. */
export type PoolQuestion<T, E> = Pick<PoolRun<T, E>, 'what' | 'signal' | 'work'>;

/** Several endpoints of one chain as one that always answers, later if need be. */
export interface EndpointPool<E extends PoolEndpoint> {
  readonly endpoints: readonly E[];
  /** The endpoint that would be asked now. */
  preferred(): E;
  /**
   * Does the work at one endpoint; after a failure again, at the first endpoint whose wait is over. Retries until the
   * signal aborts.
   * @throws {RpcError} `stop`, when each endpoint refused for good; what `giveUp` chose; the signal's reason.
   * @throws {RpcAnswerRefusedError} when answers contradict themselves again and again.
   */
  run<T>(run: PoolRun<T, E>): Promise<T>;
  /**
   * One attempt at this endpoint and no other, its chain id checked. A wait that it is due is waited for.
   * @throws {RpcError} why it gives no answer; the signal's reason.
   */
  ask<T>(endpoint: E, question: PoolQuestion<T, E>): Promise<T>;
  /** Whether an endpoint is asked only after attempts at the others have failed: it is known to follow another branch. */
  distrust(endpoint: E, distrusted: boolean): void;
  /**
   * Asks every endpoint for its chain id, so that one of another chain is named at the start and not at the first failover.
   * What does not answer now is checked when it is used.
   */
  checkAll(signal: AbortSignal): Promise<void>;
  stats(): readonly E['stats'][];
  close(): void;
}

interface Member<E> {
  readonly endpoint: E;
  failures: number;
  availableAt: number;
  failedAt: number;
  /** It follows another branch than the one that is read. */
  distrusted: boolean;
  /** The check of its chain id, since it last failed. */
  verified: Promise<void> | null;
  verifiedAt: number;
  /** It serves another chain; looked at again after a while. */
  wrong: { readonly error: WrongChainError; readonly until: number } | null;
}

/** An endpoint that failed is asked for its chain id again, unless that was so recently. */
export const CHAIN_CHECK_VALID_MS = 10_000;

/** How long an endpoint of another chain is left alone before it is looked at again. */
export const WRONG_CHAIN_RECHECK_MS = 300_000;

export const RPC_POOL_DEFAULTS = {
  schedule: RPC_RETRY,
  refusedAnswersMax: 20,
  complainEveryMs: 10_000,
} as const;

export function createEndpointPool<E extends PoolEndpoint>(options: EndpointPoolOptions<E>): EndpointPool<E> {
  const { verify, logger, random, now, wait, schedule, refusedAnswersMax, complainEveryMs } = options;
  const members: Member<E>[] = options.endpoints.map((endpoint) => ({
    endpoint,
    failures: 0,
    availableAt: 0,
    failedAt: -1,
    distrusted: false,
    verified: null,
    verifiedAt: 0,
    wrong: null,
  }));
  const said = new Set<string>();
  let complainedAt: number | null = null;

  const memberOf = (endpoint: E): Member<E> =>
    members.find((member) => member.endpoint === endpoint) as Member<E>;

  /** The first check is shared by whoever comes while it is on its way. */
  const verified = async (member: Member<E>, signal: AbortSignal): Promise<void> => {
    for (;;) {
      const check = (member.verified ??= verify(member.endpoint, signal));
      try {
        await check;
        if (member.verifiedAt === 0) member.verifiedAt = now();
        return;
      } catch (error) {
        if (member.verified === check) member.verified = null;
        // Whoever began the check was aborted, not we: begin anew.
        if (error instanceof RpcError || signal.aborted) throw error;
      }
    }
  };

  const choose = (
    refused: ReadonlySet<Member<E>>,
    shuns: (member: Member<E>) => boolean = (member) => member.distrusted,
  ): Member<E> => {
    const usable = members.filter((member) => !refused.has(member));
    const others = usable.filter((member) => !shuns(member));
    const from = others.length > 0 ? others : usable;
    const time = now();
    const soonest = (a: Member<E>, b: Member<E>): Member<E> => (b.availableAt < a.availableAt ? b : a);
    return from.find((member) => member.availableAt <= time) ?? from.reduce(soonest);
  };

  const failed = (member: Member<E>, error: RpcError, what: string, startedAt: number): void => {
    // Requests that were on their way together fail together: that is one failure.
    if (member.failedAt < startedAt || member.failures === 0) member.failures++;
    member.failedAt = now();
    const delayMs = retryDelayMs(schedule, member.failures, random);
    const askedMs =
      error instanceof RpcRateLimitedError ? Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS) : 0;
    member.availableAt = Math.max(member.availableAt, now() + Math.max(delayMs, askedMs));
    // What comes back may be another server behind the same name (P14).
    const lost = error instanceof RpcUnavailableError || error instanceof RpcTimeoutError;
    if (lost && now() - member.verifiedAt > CHAIN_CHECK_VALID_MS) {
      member.verified = null;
      member.verifiedAt = 0;
    }
    logger.debug('an RPC endpoint failed', {
      endpoint: member.endpoint.label,
      what,
      code: error.code,
      error: error.message,
      failures: member.failures,
    });
    if (!members.every((other) => other.failures > 0)) return;
    const time = now();
    if (complainedAt !== null && time - complainedAt < complainEveryMs) return;
    // One hiccup of the only endpoint is not worth a line.
    if (complainedAt === null && members.every((other) => other.failures < 3)) return;
    complainedAt = time;
    logger.warn('no RPC endpoint gives a usable answer, trying again', {
      what,
      endpoints: members.map((other) => other.endpoint.label),
      code: error.code,
      error: error.message,
    });
    options.onAvailability?.(false, error.message);
  };

  const refuse = (member: Member<E>, error: RpcError, what: string): void => {
    if (error instanceof WrongChainError) member.wrong = { error, until: now() + WRONG_CHAIN_RECHECK_MS };
    const once = `${error.endpoint} ${error.code} ${error.method}`;
    const fields = { endpoint: error.endpoint, what, code: error.code, error: error.message };
    logger[said.has(once) ? 'debug' : 'warn']('an RPC endpoint cannot be used for this', fields);
    said.add(once);
  };

  const succeeded = (member: Member<E>): void => {
    member.failures = 0;
    member.availableAt = 0;
    if (complainedAt === null) return;
    complainedAt = null;
    logger.info('an RPC endpoint answers again', { endpoint: member.endpoint.label });
    options.onAvailability?.(true, member.endpoint.label);
  };

  const attemptAt = async <T>(member: Member<E>, { what, signal, work }: PoolQuestion<T, E>): Promise<T> => {
    const startedAt = now();
    try {
      await verified(member, signal);
      const result = await work(member.endpoint);
      succeeded(member);
      return result;
    } catch (error) {
      if (signal.aborted || !(error instanceof RpcError)) throw error;
      if (error.disposition === 'stop') refuse(member, error, what);
      else failed(member, error, what, startedAt);
      throw error;
    }
  };

  const run = async <T>({ what, signal, avoid, giveUp, work }: PoolRun<T, E>): Promise<T> => {
    // Endpoints that cannot answer this question at any time.
    const refused = new Set(members.filter(({ wrong }) => wrong !== null && wrong.until > now()));
    if (refused.size === members.length)
      throw (members[0] as Member<E>).wrong?.error ?? new Error('no endpoint');
    let contradictions = 0;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const shunned = attempt <= AVOID_ATTEMPTS;
      const member = choose(refused, (one) => shunned && (one.endpoint === avoid || one.distrusted));
      const delayMs = member.availableAt - now();
      if (delayMs > 0) {
        await wait(delayMs, signal);
        continue; // Meanwhile another one may have become well.
      }
      try {
        return await attemptAt(member, { what, signal, work });
      } catch (error) {
        if (signal.aborted || !(error instanceof RpcError)) throw error;
        if (error.disposition === 'stop') {
          refused.add(member);
          if (refused.size === members.length) throw error;
          continue;
        }
        if (giveUp?.(error, attempt) === true) throw error;
        if (error instanceof RpcInconsistentError && ++contradictions >= refusedAnswersMax) {
          throw new RpcAnswerRefusedError(what, contradictions, error);
        }
      }
    }
  };

  return {
    endpoints: options.endpoints,
    preferred: () => choose(new Set()).endpoint,
    run,
    async ask(endpoint, question) {
      const member = memberOf(endpoint);
      if (member.wrong !== null && member.wrong.until > now()) throw member.wrong.error;
      for (let delayMs = member.availableAt - now(); delayMs > 0; delayMs = member.availableAt - now()) {
        await wait(delayMs, question.signal);
        question.signal.throwIfAborted();
      }
      return attemptAt(member, question);
    },
    distrust(endpoint, distrusted) {
      memberOf(endpoint).distrusted = distrusted;
    },
    async checkAll(signal) {
      await Promise.all(
        members.map((member) =>
          verified(member, signal).catch((error: unknown) => {
            if (error instanceof WrongChainError) refuse(member, error, 'the chain id');
          }),
        ),
      );
    },
    stats: () => members.map((member) => member.endpoint.stats),
    close: () => {
      for (const { endpoint } of members) endpoint.close();
    },
  };
}
