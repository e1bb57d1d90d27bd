import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** The head of the OpenAPI document; the paths come from the routes' own schemas. */
export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'IMart',
      version: '1',
      description:
        'NFT market state, as the event worker keeps it. Amounts are decimal text in the smallest unit of their currency; ' +
        'times are chain time, ISO 8601 in UTC; addresses are lower case in answers and accepted in any case. ' +
        'Lists are read with `limit` and `cursor`. Where a chain stands still, lags or is silent, reads are served all the same, and ' +
        'their answers have the header `X-Imart-Stale`.',
    },
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, for whatever writes.' },
      },
    },
    tags: [
      { name: 'orders', description: 'Listings.' },
      { name: 'offers', description: 'Offers on tokens and on collections.' },
      { name: 'activities', description: 'What happened.' },
      { name: 'tokens', description: 'Tokens, their owners and names, and what was set aside for somebody.' },
      { name: 'collections', description: 'Listed count, floor, volume, owners.' },
      { name: 'curation', description: 'Galleries, what is shown in them, and who shares in its sales.' },
      { name: 'lotteries', description: 'Lotteries and their prizes.' },
      { name: 'accounts', description: 'What an account owns, lists and offers.' },
      {
        name: 'aggregates',
        description: 'What happened to one thing, what it is and was; asking for events.',
      },
      { name: 'streams', description: 'Being told of events.' },
      { name: 'webhooks', description: 'Having an address told of events.' },
      { name: 'purchases', description: 'Buying from a sale: answered at once, decided a moment later.' },
      { name: 'status', description: 'How far the worker is.' },
      { name: 'process', description: 'For whoever runs it.' },
    ],
  },
};
