import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { WorkerError } from '@imart/core';

/** How long a browser stays logged in. Another token ends it at once. */
export const SESSION_MS = 12 * 60 * 60_000;
/** Wrong tokens that one address may show within {@link FAILURES_WINDOW_MS}; then none of it is looked at until that is over. */
export const FAILURES_MAX = 5;
export const FAILURES_WINDOW_MS = 60_000;
/** Addresses whose failures are remembered; beyond it the one that failed longest ago is forgotten. */
export const ADDRESSES_MAX = 10_000;

const SESSION_COOKIE = 'imart_ops';

/** Somebody asks for what only operators see, without the token or with a wrong one. */
export class OperatorAccessError extends WorkerError {
  /** Whether a token was shown, and was wrong. */
  readonly isWrong: boolean;

  constructor(isWrong: boolean) {
    super(
      isWrong
        ? 'that is not the token of OPS_TOKEN'
        : 'this is for operators: show the token of OPS_TOKEN as "Authorization: Bearer ...", or log in with a browser',
      { code: 'OPERATOR_ACCESS', disposition: 'stop' },
    );
    this.isWrong = isWrong;
  }
}

/** An address has shown too many wrong tokens. */
export class OperatorAccessLimitedError extends WorkerError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`too many wrong tokens: try again in ${retryAfterSeconds} s`, {
      code: 'OPERATOR_ACCESS_LIMITED',
      disposition: 'stop',
      fields: { retryAfterSeconds },
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What of a request decides whether it may pass. */
export interface AccessRequest {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** Whom failures are counted for. */
  readonly address: string;
}

/** The door to what only operators see. */
export interface OperatorAccess {
  /**
   * Lets a session or the token pass.
   * @throws {OperatorAccessError} @throws {OperatorAccessLimitedError}
   */
  check(request: AccessRequest): void;
  /**
   * The cookie of a new session, for a right token.
   * @param secure whether the browser came by HTTPS: then the cookie goes by HTTPS only.
   * @throws {OperatorAccessError} @throws {OperatorAccessLimitedError}
   */
  logIn(token: string, address: string, secure: boolean): string;
  /** The cookie that ends a session. */
  logOut(): string;
}

/**
 * Compares in constant time. A session is the moment of its end, signed with the token: nothing is stored, every API process
 * with the same token knows it. Guessing is slowed down for each address; sessions, which cannot be guessed, pass even then.
 *
 * @param now milliseconds.
 */
export function createOperatorAccess(token: string, now: () => number): OperatorAccess {
  const failures = new Map<string, { count: number; since: number }>();
  const sign = (text: string): Buffer => createHmac('sha256', token).update(`imart-ops ${text}`).digest();

  const isSession = (cookie: string | undefined): boolean => {
    const value = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;]*)`).exec(cookie ?? '')?.[1];
    const [, endsAt, signature] = /^(\d{1,15})\.([\w-]+)$/.exec(value ?? '') ?? [];
    if (endsAt === undefined || signature === undefined) return false;
    const given = Buffer.from(signature, 'base64url');
    const right = sign(endsAt);
    return given.length === right.length && timingSafeEqual(given, right) && Number(endsAt) > now();
  };

  const assertNotLimited = (address: string): void => {
    const failed = failures.get(address);
    if (failed === undefined) return;
    const leftMs = failed.since + FAILURES_WINDOW_MS - now();
    if (leftMs <= 0) failures.delete(address);
    else if (failed.count >= FAILURES_MAX) throw new OperatorAccessLimitedError(Math.ceil(leftMs / 1000));
  };

  const assertToken = (given: string, address: string): void => {
    assertNotLimited(address);
    if (timingSafeEqual(digest(given), digest(token))) return;
    const failed = failures.get(address) ?? { count: 0, since: now() };
    failed.count++;
    // At the end of the map's order: the first one is forgotten first.
    failures.delete(address);
    failures.set(address, failed);
    if (failures.size > ADDRESSES_MAX) failures.delete(failures.keys().next().value as string);
    throw new OperatorAccessError(true);
  };

  return {
    check({ authorization, cookie, address }) {
      if (isSession(cookie)) return;
      const given = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
      if (given === undefined) throw new OperatorAccessError(false);
      assertToken(given, address);
    },
    logIn(given, address, secure) {
      assertToken(given, address);
      const endsAt = String(now() + SESSION_MS);
      return cookieText(`${endsAt}.${sign(endsAt).toString('base64url')}`, SESSION_MS / 1000, secure);
    },
    logOut: () => cookieText('', 0, false),
  };
}

/** Digests are of one length, whatever is compared. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function cookieText(value: string, maxAgeSeconds: number, secure: boolean): string {
  const parts = [
    `${SESSION_COOKIE}=${value}`,
    'Path=/ops',
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Strict',
  ];
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ');
}
