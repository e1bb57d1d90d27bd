import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '@imart/core';
import { listen, type ListenOptions } from './listen';
import type { Logger } from './logging/logger';
import type { Metrics } from './metrics';

/** What a check found. `detail` is shown to whoever asks: no secrets. */
export interface CheckResult {
  readonly ok: boolean;
  readonly detail?: string;
}

/** Asked on every request. Throwing, or taking longer than the bound, counts as not ok. */
export type Check = () => CheckResult | Promise<CheckResult>;

/** Checks by name; a function where they change while the process runs. */
export type Checks = Readonly<Record<string, Check>> | (() => Readonly<Record<string, Check>>);

export interface HealthServerOptions extends ListenOptions {
  /** Failing means: restart this process. */
  readonly liveness: Checks;
  /** Failing means: do not rely on this process now. */
  readonly readiness: Checks;
  /** Failing means: what this process works on does not move, and somebody should look. Without it there is no such page. */
  readonly progress?: Checks;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** @defaultValue `2_000` */
  readonly checkTimeoutMs?: number;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What the two health pages answer, as data: for servers that have pages of their own. */
export interface HealthReport {
  readonly status: 'ok' | 'failing';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/**
 * Serves `/healthz`, `/readyz`, `/progress` (200, or 503 with what fails) and `/metrics`. Listens when it returns.
 * @throws {ConfigError} when the port cannot be had.
 */
export async function createHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const timeoutMs = options.checkTimeoutMs ?? 2_000;
  const { progress } = options;
  const reportOf = (checks: Checks) => async (): Promise<Page> =>
    reportPage(await runChecks(typeof checks === 'function' ? checks() : checks, timeoutMs));
  const pages: Readonly<Record<string, () => Promise<Page>>> = {
    '/healthz': reportOf(options.liveness),
    '/readyz': reportOf(options.readiness),
    ...(progress === undefined ? {} : { '/progress': reportOf(progress) }),
    '/metrics': async () => ({
      status: 200,
      type: options.metrics.contentType,
      body: await options.metrics.render(),
    }),
  };
  const server = createServer((request, response) => {
    answer(request, pages).then(
      (page) => send(request, response, page),
      (error: unknown) => {
        options.logger.warn('a health page failed', { path: request.url, error });
        send(request, response, textPage(500, 'failed'));
      },
    );
  });
  const port = await listen(server, options);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Runs all checks at the same time; none can hold up the report longer than the bound. */
export async function runChecks(
  checks: Readonly<Record<string, Check>>,
  timeoutMs: number,
): Promise<HealthReport> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check, timeoutMs)] as const),
  );
  return {
    status: results.every(([, result]) => result.ok) ? 'ok' : 'failing',
    checks: Object.fromEntries(results),
  };
}

async function runCheck(check: Check, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([late, Promise.resolve().then(check)]);
  } catch (error) {
    return { ok: false, detail: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const textPage = (status: number, body: string): Page => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

const reportPage = (report: HealthReport): Page => ({
  status: report.status === 'ok' ? 200 : 503,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(report)}\n`,
});

async function answer(
  request: IncomingMessage,
  pages: Readonly<Record<string, () => Promise<Page>>>,
): Promise<Page> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return textPage(404, `there is ${Object.keys(pages).join(', ')}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return textPage(405, 'only GET');
  return page();
}

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  response.writeHead(page.status, { 'content-type': page.type, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}
