import { WorkerError } from '@imart/core';
import {
  PurchasesBusyError,
  purchaseIdOf,
  type PurchaseBacklog,
  type PurchaseId,
  type PurchaseService,
  type SaleShelf,
} from '@imart/purchase';
import type { Logger } from '@imart/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { errorSchema, NotFoundError } from '../../errors';
import { answers, list, record, text } from '../../fields';
import { parameterSet } from '../../parameters';
import { purchaseFields, purchaseSchema, saleFields, saleSchema } from './fields';
import { purchasePage, purchaseScript } from './page';
import { createPurchaseStreams } from './streams';

/** Purchases and sales, once their database is there. */
export interface PurchaseDesk {
  readonly service: PurchaseService;
  readonly shelf: SaleShelf;
  /** What waits, whoever works on it. */
  readonly backlog: () => Promise<PurchaseBacklog>;
}

/** What the resources of purchases work with. */
export interface PurchasesOptions {
  /** Opens it at the first call; called again after it failed. */
  readonly desk: () => Promise<PurchaseDesk>;
  /** Asked before a purchase is taken in: throws for whoever may not. @defaultValue everybody may */
  readonly authorize?: (request: FastifyRequest) => Promise<void>;
  /** @defaultValue {@link STREAMS_MAX_DEFAULT} */
  readonly streamsMax?: number;
}

/** @defaultValue for `streamsMax`: purchases that are watched at once. */
export const STREAMS_MAX_DEFAULT = 2_000;
/** Most sales that are listed. */
const SALES_LISTED = 100;

/** The result of a purchase is not told any more. */
class PurchaseExpiredError extends WorkerError {
  constructor(id: PurchaseId) {
    super(`purchase ${id} ended so long ago that its result is not told any more`, {
      code: 'PURCHASE_EXPIRED',
      disposition: 'stop',
    });
  }
}

const id = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  allowed: 'a UUID',
  description: 'What the purchase was answered with.',
};
const saleId = { type: 'string', minLength: 1, maxLength: 250, description: 'Id of a sale.' };

const error = (description: string) => ({ description, ...errorSchema });
const pending = { description: 'It is not decided yet; ask again, or watch it.', ...purchaseSchema };
const ended = { description: 'It has come to its end.', ...purchaseSchema };
const unknown = error('There is no such purchase, or it ended long ago.');
const expired = error('It ended so long ago that its result is not told any more.');
const refused = {
  401: error('No API key, or none that is valid.'),
  403: error('The API key has not the scope `purchases:write`.'),
  429: error('The API key asks more often than it may; see Retry-After.'),
};
const away = error('The database is not available, or too much waits; try again.');

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Buying: answered at once, decided by the services of purchases a moment later. */
export function registerPurchases(app: FastifyInstance, options: PurchasesOptions, logger: Logger): void {
  const { desk, authorize, streamsMax = STREAMS_MAX_DEFAULT } = options;
  const streams = createPurchaseStreams(logger);
  app.addHook('preClose', async () => streams.close());
  registerPages(app);
  registerSales(app, desk);

  app.post<{ Body: { productId: string; quantity?: unknown; wallet?: string | null } }>(
    '/v1/purchases',
    {
      ...(authorize === undefined ? {} : { onRequest: authorize }),
      schema: {
        tags: ['purchases'],
        summary: 'Buys: answered at once with the id under which the result will be',
        ...(authorize === undefined ? {} : { security: [{ apiKey: [] }] }),
        headers: {
          type: 'object',
          properties: {
            'idempotency-key': {
              ...text(
                'Asking again with it gives the same purchase. A random text; keys belong to the wallet.',
              ),
              minLength: 1,
              maxLength: 256,
            },
          },
        },
        body: parameterSet(
          {
            productId: { ...text('The sale.'), minLength: 1, maxLength: 256 },
            // Of any type, so that whatever is no quantity is told with a code of its own.
            quantity: { description: 'How many: a whole number of at least 1.' },
            wallet: {
              type: ['string', 'null'],
              minLength: 1,
              maxLength: 256,
              description: 'Who gets them. Needed where a sale bounds what one wallet may have.',
            },
          },
          ['productId', 'quantity'],
        ),
        response: {
          202: {
            description: 'It is kept, and will be decided.',
            ...record({ id: text('UUID.'), status: text('`pending`.'), href: text('Where it is told.') }),
          },
          400: error('It cannot be asked for; `WRONG_QUANTITY` where only the quantity is wrong.'),
          ...(authorize === undefined ? {} : refused),
          409: error('The idempotency key was used for another purchase.'),
          503: away,
        },
      },
    },
    async ({ body, headers }, reply) => {
      const { service } = await desk();
      const key = headers['idempotency-key'];
      const { id: purchase } = await service.purchase({
        productId: body.productId,
        quantity: typeof body.quantity === 'number' ? body.quantity : Number.NaN,
        wallet: body.wallet ?? null,
        ...(typeof key === 'string' ? { idempotencyKey: key } : {}),
      });
      const href = `/v1/purchases/${purchase}`;
      return reply.code(202).header('location', href).send({ id: purchase, status: 'pending', href });
    },
  );

  app.get<{ Params: { id: string } }>(
    '/v1/purchases/:id',
    {
      schema: {
        tags: ['purchases'],
        summary: 'How a purchase is: 202 while it is pending, 200 with its result',
        params: parameterSet({ id }),
        response: {
          200: ended,
          202: pending,
          400: error('Not a UUID.'),
          404: unknown,
          410: expired,
          503: away,
        },
      },
    },
    async ({ params }, reply) => {
      const purchase = await mustFind(desk, params.id);
      return reply.code(purchase.status === 'pending' ? 202 : 200).send(purchaseFields(purchase));
    },
  );

  app.get<{ Params: { id: string } }>(
    '/v1/purchases/:id/events',
    {
      schema: {
        tags: ['purchases'],
        summary: 'The same pushed (SSE): the state as it is now first, then each change, up to its end',
        description:
          'Events `purchase`, whose data is as the answer of `/v1/purchases/{id}`. The stream ends with the purchase.',
        produces: ['text/event-stream'],
        params: parameterSet({ id }),
      },
    },
    async ({ params }, reply) => {
      if (streams.open >= streamsMax) throw new PurchasesBusyError(streams.open);
      const { service } = await desk();
      const { id: purchase } = await mustFind(desk, params.id);
      await streams.send(reply, (signal) => service.watch(purchase, signal));
    },
  );
}

async function mustFind(desk: PurchasesOptions['desk'], text: string) {
  const { service } = await desk();
  const purchase = purchaseIdOf(text);
  const found = purchase === null ? null : await service.find(purchase);
  if (purchase === null || found === null || found.kind === 'unknown')
    throw new NotFoundError(`purchase ${text}`);
  if (found.kind === 'expired') throw new PurchaseExpiredError(purchase);
  return found.purchase;
}

function registerSales(app: FastifyInstance, desk: PurchasesOptions['desk']): void {
  app.get(
    '/v1/sales',
    {
      schema: {
        tags: ['purchases'],
        summary: `Sales, the first ${SALES_LISTED}`,
        querystring: parameterSet({}),
        response: answers(record({ items: list(saleSchema) }), 400, 503),
      },
    },
    async () => ({ items: (await (await desk()).shelf.list(SALES_LISTED)).map(saleFields) }),
  );
  app.get<{ Params: { id: string } }>(
    '/v1/sales/:id',
    {
      schema: {
        tags: ['purchases'],
        summary: 'A sale, its stock and its status now',
        params: parameterSet({ id: saleId }),
        response: answers(saleSchema, 400, 404, 503),
      },
    },
    async ({ params }) => {
      const found = await (await desk()).shelf.find(params.id);
      if (found === null) throw new NotFoundError(`sale ${params.id}`);
      return saleFields(found);
    },
  );
}

/** The page that shows purchases going through their steps. */
function registerPages(app: FastifyInstance): void {
  app.get('/purchases', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .headers({
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      .send(purchasePage),
  );
  app.get('/purchases/page.js', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/javascript; charset=utf-8')
      .header('x-content-type-options', 'nosniff')
      .send(purchaseScript),
  );
}
