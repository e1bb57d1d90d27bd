import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { createBullBoard } from '@bull-board/api';
import { messageOf, WorkerError } from '@imart/core';
import { StreamUnavailableError } from '@imart/stream';
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import { escapeHtml } from './loginPage';

/** How bull-board is told of a web server. */
export type BoardServer = Parameters<typeof createBullBoard>[0]['serverAdapter'];
type Queues = Parameters<BoardServer['setQueues']>[0];
type ApiRoutes = Parameters<BoardServer['setApiRoutes']>[0];
type EntryRoute = Parameters<BoardServer['setEntryRoute']>[0];
type UiConfig = Parameters<BoardServer['setUIConfig']>[0];

/** What bull-board has told of its pages. */
export interface CollectingBoardServer extends BoardServer {
  /**
   * Registers the pages, their files and those calls that only read: a board that has no other routes changes nothing, whatever
   * its buttons say.
   * @param beforeCall runs before each call for data; its failure is the answer.
   */
  register(app: FastifyInstance, basePath: string, beforeCall: () => Promise<void>): Promise<void>;
}

/** Fastify for bull-board. Its own plugin for that needs packages for a newer Node. */
export function createBoardServer(): CollectingBoardServer {
  let queues: Queues = new Map();
  let viewsPath = '';
  let statics = { route: '', path: '' };
  let entry: EntryRoute | null = null;
  let routes: ApiRoutes = [];
  let uiConfig: UiConfig = {};
  const server: CollectingBoardServer = {
    setQueues(given) {
      queues = given;
      return server;
    },
    setViewsPath(path) {
      viewsPath = path;
      return server;
    },
    setStaticPath(route, path) {
      statics = { route, path };
      return server;
    },
    setEntryRoute(route) {
      entry = route;
      return server;
    },
    // Errors are answered as everywhere in this API.
    setErrorHandler: () => server,
    setApiRoutes(given) {
      routes = given;
      return server;
    },
    setUIConfig(config) {
      uiConfig = config;
      return server;
    },

    async register(app, basePath, beforeCall) {
      await app.register(fastifyStatic, {
        root: statics.path,
        prefix: `${statics.route}/`,
        decorateReply: false,
        // Their names change with what they hold.
        maxAge: '1d',
        immutable: true,
      });
      const { route, handler } = entry as EntryRoute;
      const view = handler({ basePath, uiConfig });
      const page = renderPage(readFileSync(join(viewsPath, view.name), 'utf8'), view.params);
      for (const url of listOf(route)) {
        app.get(url, { schema: { hide: true } }, async (_request, reply) =>
          reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(page),
        );
      }
      for (const { method, route: paths, handler: answer } of routes) {
        if (!listOf(method).includes('get')) continue;
        for (const url of listOf(paths)) {
          app.route({
            method: 'GET' satisfies HTTPMethods,
            url,
            schema: { hide: true },
            handler: async (request, reply) => {
              await beforeCall();
              const asked = toBoardRequest(request, queues, uiConfig);
              const { status = 200, body } = await Promise.resolve(answer(asked)).catch(unavailable);
              return reply.code(status).header('cache-control', 'no-store').send(body);
            },
          });
        }
      }
    },
  };
  return server;
}

/** What fails while jobs are read is their backend. */
function unavailable(error: unknown): never {
  throw error instanceof WorkerError
    ? error
    : new StreamUnavailableError('jobs board', messageOf(error), error);
}

function toBoardRequest(request: FastifyRequest, queues: Queues, uiConfig: UiConfig) {
  return {
    queues,
    uiConfig,
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string>,
    body: {},
    headers: {},
  };
}

const listOf = <T>(one: T | readonly T[]): readonly T[] => (Array.isArray(one) ? one : [one as T]);

/**
 * The board's page: the template's values put in, and no font from elsewhere, because an operator's browser shall tell nobody
 * where it is.
 * @throws {Error} when the template wants what it is not given: it is of another version.
 */
export function renderPage(template: string, params: Readonly<Record<string, string>>): string {
  return template
    .replace(/<link[^>]+href="https?:\/\/[^>]*>/g, '')
    .replace(/<%([=-])\s*(\w+)\s*%>/g, (_tag, kind: string, name: string) => {
      const value = params[name];
      if (value === undefined) throw new Error(`the jobs board's page wants "${name}", which nobody gives`);
      return kind === '=' ? escapeHtml(value) : value;
    });
}
