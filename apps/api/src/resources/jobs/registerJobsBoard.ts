import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { SubjectId } from '@imart/core';
import type { Logger } from '@imart/runtime';
import { readLanes, type ReadDatabase } from '@imart/storage';
import type { JobQueues } from '@imart/stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createOperatorAccess, OperatorAccessError, OperatorAccessLimitedError } from './access';
import { createBoardServer } from './boardServer';
import { loginPage } from './loginPage';

/** What the board of jobs works with. */
export interface JobsBoardOptions {
  /** Whoever shows it sees the jobs. Never logged. */
  readonly token: string;
  /** Opens the queues; called again after it failed. The board closes them. */
  readonly openQueues: () => Promise<JobQueues>;
  /** Where the pages of `@bull-board/ui` are. */
  readonly pagesDirectory: string;
  /** Milliseconds. */
  readonly now: () => number;
}

const BOARD_PATH = '/ops/jobs';
/** For how long the list of lanes is taken as it was. */
const LANES_FRESH_MS = 5_000;

/** Nothing from elsewhere runs or is loaded, and nobody frames the pages. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'";

/**
 * bull-board at `/ops/jobs`: the queue of every lane, every job that is kept and what became of it. It only reads. Whoever
 * shows the token passes, as `Authorization: Bearer ...`, or after logging in with a browser.
 */
export async function registerJobsBoard(
  app: FastifyInstance,
  db: ReadDatabase,
  logger: Logger,
  options: JobsBoardOptions,
): Promise<void> {
  const access = createOperatorAccess(options.token, options.now);
  const server = createBoardServer();
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiBasePath: options.pagesDirectory,
      uiConfig: {
        boardTitle: 'IMart wake-ups',
        hideDocsLink: true,
        miscLinks: [{ text: 'Log out', url: '/ops/logout' }],
      },
    },
  });

  let opening: Promise<JobQueues> | null = null;
  const openQueues = (): Promise<JobQueues> => {
    opening ??= options.openQueues().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  app.addHook('onClose', async () => (await opening?.catch(() => null))?.close());

  const shown = new Map<string, BullMQAdapter>();
  let readAt = -Infinity;
  /** Lanes come and go with subjects; a queue's adapter stays the same. */
  const refresh = async (): Promise<void> => {
    if (options.now() - readAt < LANES_FRESH_MS) return;
    const [queues, lanes] = await Promise.all([openQueues(), readLanes(db)]);
    board.replaceQueues(
      lanes.map(({ observer, subject, lane }) => {
        const displayName = `${subject} ${observer} ${lane}`;
        let adapter = shown.get(displayName);
        if (adapter === undefined) {
          const queue = queues.ofLane(observer, subject as SubjectId, lane);
          adapter = new BullMQAdapter(queue, {
            readOnlyMode: true,
            displayName,
            description: `Wake-ups of lane ${lane} of the observer ${observer} on ${subject}. A job's result is the fate of its event.`,
          });
          // What became of it is seen in the list of jobs, without opening each.
          adapter.setFormatter('name', (job: { name: string; returnvalue?: unknown }) =>
            typeof job.returnvalue === 'string' ? `${job.name}: ${job.returnvalue}` : job.name,
          );
          shown.set(displayName, adapter);
        }
        return adapter;
      }),
    );
    readAt = options.now();
  };

  await app.register(
    async (ops) => {
      ops.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string', bodyLimit: 4_096 },
        (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
      );
      ops.addHook('onSend', async (_request, reply) => {
        void reply.headers({
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        });
      });

      // Before the routes: those of a plugin within have the handler that was there when it began.
      const answerError = ops.errorHandler;
      ops.setErrorHandler(async (error, request, reply) => {
        const isDenied = error instanceof OperatorAccessError;
        const isLimited = error instanceof OperatorAccessLimitedError;
        if (!isDenied && !isLimited) return answerError.call(ops, error, request, reply);
        if (isLimited || error.isWrong) {
          logger.warn('a wrong token for operators', {
            code: error.code,
            address: request.ip,
            path: request.url.split('?')[0],
          });
        }
        if (isDenied) void reply.header('www-authenticate', 'Bearer realm="IMart operators"');
        if (isLimited) void reply.header('retry-after', String(error.retryAfterSeconds));
        if (!wantsPage(request)) return answerError.call(ops, error, request, reply);
        const problem = isLimited ? error.message : error.isWrong ? 'That is not the token.' : null;
        return reply
          .code(isLimited ? 429 : 401)
          .type('text/html; charset=utf-8')
          .header('cache-control', 'no-store')
          .send(loginPage(problem));
      });

      ops.get('/login', { schema: { hide: true } }, async (_request, reply) =>
        reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(loginPage(null)),
      );
      ops.post('/login', { schema: { hide: true } }, async (request, reply) => {
        const { token } = (request.body ?? {}) as { token?: unknown };
        const given = typeof token === 'string' ? token : '';
        const cookie = access.logIn(given, request.ip, isSecure(request));
        return reply.header('set-cookie', cookie).redirect(`${BOARD_PATH}/`, 303);
      });
      ops.get('/logout', { schema: { hide: true } }, async (_request, reply) =>
        reply.header('set-cookie', access.logOut()).redirect('/ops/login', 303),
      );
      ops.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect(`${BOARD_PATH}/`));

      await ops.register(
        async (jobs) => {
          jobs.addHook('onRequest', async ({ headers, ip }) => {
            access.check({ authorization: headers.authorization, cookie: headers.cookie, address: ip });
          });
          await server.register(jobs, BOARD_PATH, refresh);
        },
        { prefix: '/jobs' },
      );
    },
    { prefix: '/ops' },
  );
}

/** Whether a person looks at it: a browser asks for HTML, and its calls for data do not. */
function wantsPage(request: FastifyRequest): boolean {
  return String(request.headers.accept ?? '').includes('text/html');
}

/** Whether the browser came by HTTPS, to us or to a proxy before us. */
function isSecure(request: FastifyRequest): boolean {
  return request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https';
}
