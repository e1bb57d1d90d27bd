import { createMetrics, silentLogger } from '@imart/runtime';
import { createReadDatabase, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { createServer } from './createServer';
import { createApiDatabase, type ApiDatabase } from './testing/apiDatabase';
import {
  APTOS_CURATION,
  ART,
  BUYER,
  CURATION,
  CURATOR,
  day,
  EDITION,
  LOTTERY,
  OWNER,
  POOL,
  RECEIVER,
  ROOT,
  seedCuration,
  SENDER,
  THINGS,
} from './testing/seedCuration';
import { NATIVE, seqNo, UINT256_MAX } from './testing/seedMarket';
import { seqNosOf } from './seqNosOf';

let database: ApiDatabase;
let db: ReadDatabase;
let app: FastifyInstance;
let origin: string;

beforeAll(async () => {
  database = await createApiDatabase();
  await seedCuration(database);
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
  app = await createServer({ db, logger: silentLogger, metrics: createMetrics({ processMetrics: false }) });
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await app?.close();
  await db?.close();
  await database?.stop();
});

/** An answer as a spec reads it: its shape is checked by what is expected of it. */
type Body = Record<string, unknown> & {
  readonly items: readonly Record<string, unknown>[];
  readonly next: string | null;
  readonly error: { readonly code: string; readonly problems: readonly { field: string }[] };
};

async function get(path: string): Promise<{ status: number; body: Body }> {
  const answer = await fetch(`${origin}${path}`);
  return { status: answer.status, body: (await answer.json()) as Body };
}

async function ok(path: string): Promise<Body> {
  const { status, body } = await get(path);
  expect({ path, status, error: body.error }).toEqual({ path, status: 200, error: undefined });
  return body;
}

const moment = (number: number): string => day(number).replace('000Z', '000000Z');
const changed = { updatedAt: moment(9), seqNo: seqNo(9) };

describe('galleries', () => {
  const gallery = {
    subject: 'eip155:1',
    contract: CURATION,
    market: 'imart-curation',
    galleryId: '1',
    collection: ART,
    tokenId: '1',
    standard: null,
    owner: CURATOR,
    spaceType: 'hall',
    name: 'H\u00e4ll "1"',
    metadataUri: 'ipfs://1',
    commissions: [{ payee: CURATOR, rate: UINT256_MAX }],
    commissionPool: POOL,
    admissions: [ART],
    createdAt: moment(1),
    ...changed,
  };

  it('are given whole, by their id and in the list, rates of 256 bits exact (D2)', async () => {
    expect(await ok(`/v1/galleries/eip155:1/${CURATION}/1`)).toEqual(gallery);
    expect((await ok(`/v1/galleries?owner=${CURATOR.toUpperCase().replace('0X', '0x')}`)).items).toEqual([
      gallery,
    ]);
  });

  it('of which little was told have null for the rest', async () => {
    expect(await ok(`/v1/galleries/eip155:1/${CURATION}/2`)).toMatchObject({
      collection: null,
      tokenId: null,
      name: null,
      commissions: null,
      commissionPool: null,
      admissions: null,
    });
  });

  it('of Aptos have addresses of 64 digits and token ids of editions, with the chain’s id escaped or not', async () => {
    const plain = await ok(`/v1/galleries/aptos:1/${APTOS_CURATION}/1`);
    expect(plain).toMatchObject({
      subject: 'aptos:1',
      owner: SENDER,
      tokenId: EDITION,
      standard: 'aptos-v1',
    });
    expect(await ok(`/v1/galleries/aptos%3A1/${APTOS_CURATION}/1`)).toEqual(plain);
  });
});

describe('exhibits', () => {
  it('are given whole, prices of 256 bits exact (D2)', async () => {
    expect(await ok(`/v1/exhibits/eip155:1/${CURATION}/1`)).toEqual({
      subject: 'eip155:1',
      contract: CURATION,
      market: 'imart-curation',
      collection: ART,
      tokenId: '1',
      standard: null,
      exhibitId: '1',
      galleryId: '1',
      status: 'listing',
      state: 'listing',
      origin: OWNER,
      curator: null,
      owner: null,
      price: UINT256_MAX,
      currency: NATIVE,
      expiresAt: null,
      location: null,
      url: null,
      detail: null,
      createdAt: moment(1),
      ...changed,
    });
  });

  it('have ended at the moment of their expiry, by chain time (D10, D11)', async () => {
    const { items } = await ok('/v1/exhibits?state=expired');
    expect(items).toMatchObject([{ exhibitId: '2', status: 'listing', state: 'expired' }]);
    expect((await ok('/v1/exhibits?state=listing')).items).toMatchObject([
      { exhibitId: '3' },
      { exhibitId: '1' },
    ]);
  });

  it('of Aptos tell their curator', async () => {
    expect(await ok(`/v1/exhibits/aptos%3A1/${APTOS_CURATION}/1`)).toMatchObject({
      curator: RECEIVER,
      origin: SENDER,
      tokenId: EDITION,
    });
  });
});

describe('offers to exhibit', () => {
  it('are given whole', async () => {
    expect(await ok(`/v1/curation-offers/eip155:1/${CURATION}/4`)).toEqual({
      subject: 'eip155:1',
      contract: CURATION,
      market: 'imart-curation',
      collection: ART,
      tokenId: '1',
      standard: null,
      offerId: '4',
      galleryId: '1',
      status: 'accepted',
      state: 'accepted',
      from: CURATOR,
      to: OWNER,
      price: '90',
      currency: null,
      startsAt: null,
      expiresAt: null,
      exhibitExpiresAt: moment(60),
      url: null,
      detail: null,
      createdAt: moment(4),
      ...changed,
    });
  });
});

describe('commissions', () => {
  it('are what each payee can claim, exact and with its currency (D2)', async () => {
    expect(await ok(`/v1/commissions/eip155:1/${POOL}/1/${CURATOR}`)).toEqual({
      subject: 'eip155:1',
      contract: POOL,
      galleryId: '1',
      payee: CURATOR,
      market: 'imart-commission-pool',
      claimable: UINT256_MAX,
      currency: NATIVE,
      createdAt: moment(1),
      ...changed,
    });
  });
});

describe('lotteries and prizes', () => {
  it('are given whole, with how much of a lottery is claimed', async () => {
    expect(await ok(`/v1/lotteries/eip155:1/${LOTTERY}/1`)).toEqual({
      subject: 'eip155:1',
      contract: LOTTERY,
      lotteryId: '1',
      market: 'imart-lottery',
      organizer: OWNER,
      collection: ART,
      status: 'drawn',
      endBlock: '500',
      merkleRoot: ROOT,
      prizeCount: '4',
      claimedCount: '2',
      createdAt: moment(1),
      ...changed,
    });
    expect(await ok(`/v1/prizes/eip155:1/${LOTTERY}/1/2`)).toEqual({
      subject: 'eip155:1',
      contract: LOTTERY,
      lotteryId: '1',
      market: 'imart-lottery',
      organizer: OWNER,
      collection: ART,
      tokenId: '2',
      quantity: '3',
      claimedQuantity: '1',
      claimer: BUYER,
      state: 'open',
      createdAt: moment(1),
      ...changed,
    });
  });
});

describe('claims', () => {
  it('of Aptos are given whole by all that names them', async () => {
    expect(await ok(`/v1/claims/aptos%3A1/${THINGS}/${EDITION}/${SENDER}/${RECEIVER}`)).toEqual({
      subject: 'aptos:1',
      collection: THINGS,
      tokenId: EDITION,
      sender: SENDER,
      receiver: RECEIVER,
      standard: 'aptos-v1',
      quantity: '2',
      status: 'PENDING',
      createdAt: moment(1),
      ...changed,
    });
  });
});

describe('names of tokens', () => {
  const names = {
    creator: SENDER,
    collectionName: 'Things',
    name: 'Thing #1',
    edition: '7',
    description: 'd',
    uri: 'ipfs://thing',
  };

  it('are with the tokens, in the list and alone', async () => {
    expect(await ok(`/v1/tokens/aptos:1/${THINGS}/${EDITION}`)).toMatchObject({
      standard: 'aptos-v1',
      details: names,
      balances: [{ owner: SENDER, quantity: '3' }],
    });
    expect((await ok('/v1/tokens?subject=aptos:1')).items).toMatchObject([
      { tokenId: EDITION, details: names },
    ]);
  });

  it('are there for tokens of which no owner is known', async () => {
    expect((await get(`/v1/tokens/aptos:1/${THINGS}/5`)).status).toBe(404);
    expect(await ok(`/v1/token-details/aptos:1/${THINGS}/5`)).toEqual({
      subject: 'aptos:1',
      collection: THINGS,
      tokenId: '5',
      standard: 'aptos-v1',
      creator: SENDER,
      collectionName: 'Things',
      name: 'Thing #5',
      edition: '0',
      description: null,
      uri: null,
      createdAt: moment(1),
      ...changed,
    });
  });
});

describe('filters', () => {
  const filters: readonly [path: string, id: string, expected: readonly string[]][] = [
    ['/v1/galleries', 'galleryId', ['1', '2', '1']],
    ['/v1/galleries?subject=eip155:1', 'galleryId', ['2', '1']],
    [`/v1/galleries?collection=${THINGS}&tokenId=${EDITION}`, 'subject', ['aptos:1']],
    ['/v1/galleries?market=other', 'galleryId', []],
    ['/v1/exhibits', 'exhibitId', ['1', '10', '4', '3', '2', '1']],
    ['/v1/exhibits?status=sold&status=redeemed', 'exhibitId', ['10', '4']],
    [`/v1/exhibits?contract=${CURATION}&galleryId=2`, 'exhibitId', ['4']],
    [`/v1/exhibits?origin=${OWNER}&subject=eip155:1&state=redeemed`, 'exhibitId', ['10']],
    [`/v1/exhibits?owner=${BUYER}`, 'exhibitId', ['4']],
    [`/v1/exhibits?curator=${RECEIVER}`, 'subject', ['aptos:1']],
    [`/v1/exhibits?collection=${ART}&tokenId=2`, 'exhibitId', ['10']],
    ['/v1/curation-offers', 'offerId', ['5', '4', '3', '2', '1']],
    ['/v1/curation-offers?state=pending', 'offerId', ['1']],
    ['/v1/curation-offers?status=pending', 'offerId', ['3', '2', '1']],
    ['/v1/curation-offers?state=expired&state=not_started', 'offerId', ['3', '2']],
    [`/v1/curation-offers?to=${BUYER}`, 'offerId', ['5']],
    [`/v1/curation-offers?from=${CURATOR}&status=accepted&galleryId=1`, 'offerId', ['4']],
    [`/v1/commissions?payee=${CURATOR}`, 'galleryId', ['2', '1']],
    [`/v1/commissions?contract=${POOL}&galleryId=1`, 'claimable', [UINT256_MAX, '0']],
    ['/v1/lotteries', 'lotteryId', ['2', '1']],
    [`/v1/lotteries?status=withdrawn&organizer=${OWNER}&collection=${ART}`, 'lotteryId', ['2']],
    ['/v1/prizes', 'tokenId', [UINT256_MAX, '2', '1']],
    ['/v1/prizes?state=open', 'tokenId', ['2']],
    ['/v1/prizes?state=withdrawn', 'tokenId', [UINT256_MAX]],
    [`/v1/prizes?claimer=${BUYER}&state=claimed&lotteryId=1`, 'tokenId', ['1']],
    [`/v1/prizes?collection=${ART}&tokenId=${UINT256_MAX}`, 'lotteryId', ['2']],
    ['/v1/claims', 'tokenId', ['5', EDITION]],
    [`/v1/claims?receiver=${RECEIVER}&status=PENDING`, 'tokenId', [EDITION]],
    [`/v1/claims?sender=${SENDER}&collection=${THINGS}&tokenId=5`, 'status', ['CLAIMED']],
    ['/v1/claims?subject=eip155:1', 'tokenId', []],
    ['/v1/token-details', 'tokenId', ['5', EDITION]],
    [`/v1/token-details?collection=${THINGS}&tokenId=${EDITION}`, 'name', ['Thing #1']],
  ];
  it.each(filters)('%s', async (path, id, expected) => {
    expect((await ok(path)).items.map((item) => item[id]).sort()).toEqual([...expected].sort());
  });

  it('keep the newest first', async () => {
    const of = async (path: string, id: string) => (await ok(path)).items.map((item) => item[id]);
    expect(await of('/v1/exhibits?subject=eip155:1', 'exhibitId')).toEqual(['10', '4', '3', '2', '1']);
    expect(await of('/v1/curation-offers', 'offerId')).toEqual(['5', '4', '3', '2', '1']);
  });
});

describe('cursors', () => {
  it.each([
    ['/v1/galleries?', 3],
    ['/v1/exhibits?', 6],
    ['/v1/exhibits?subject=eip155:1&', 5],
    [`/v1/exhibits?collection=${ART}&`, 5],
    ['/v1/curation-offers?', 5],
    ['/v1/commissions?', 3],
    ['/v1/lotteries?', 2],
    ['/v1/prizes?', 3],
    ['/v1/claims?', 2],
    ['/v1/token-details?', 2],
  ])('walk %s to its end: everything once, in the order of one page', async (path, total) => {
    const whole = (await ok(path)).items;
    expect(whole).toHaveLength(total);
    for (const limit of [1, 2]) {
      const walked: unknown[] = [];
      let cursor: string | null = '';
      while (cursor !== null && walked.length <= total) {
        const { items, next }: Body = await ok(`${path}limit=${limit}${cursor && `&cursor=${cursor}`}`);
        walked.push(...items);
        cursor = next;
      }
      expect(walked).toEqual(whole);
    }
  });

  it('of another list, or that nobody gave, are refused', async () => {
    const { next } = await ok('/v1/exhibits?limit=1');
    const made = (...parts: string[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    for (const path of [
      `/v1/galleries?cursor=${next}`,
      `/v1/exhibits?cursor=${made('exhibits', '1', '2024-02-30T00:00:00.000000Z', CURATION, '1')}`,
      `/v1/exhibits?cursor=${made('exhibits', '1', 'now', CURATION, '1')}`,
      `/v1/prizes?cursor=${made('prizes', '1', 'infinity', LOTTERY, '1', 'x')}`,
    ]) {
      const { status, body } = await get(path);
      expect([path, status, body.error.code]).toEqual([path, 400, 'CURSOR']);
    }
    const endless = made('exhibits', '1', 'infinity', CURATION, '1');
    expect((await ok(`/v1/exhibits?cursor=${endless}`)).items).toHaveLength(5);
  });
});

describe('wrong parameters', () => {
  it.each([
    ['/v1/galleries?owner=x', 'owner'],
    ['/v1/galleries?galleryId=1', 'galleryId'],
    ['/v1/galleries?tokenId=1', 'tokenId'],
    ['/v1/exhibits?status=SOLD', 'status'],
    ['/v1/exhibits?state=gone', 'state'],
    ['/v1/exhibits?galleryId=-1', 'galleryId'],
    ['/v1/exhibits?limit=0', 'limit'],
    ['/v1/curation-offers?to=0x12', 'to'],
    ['/v1/commissions?payee=me', 'payee'],
    ['/v1/prizes?tokenId=0x1', 'tokenId'],
    [`/v1/prizes?tokenId=${'9'.repeat(99)}&collection=${ART}`, 'tokenId'],
    ['/v1/claims?status=pending', 'status'],
    [`/v1/exhibits/eip155:1/${CURATION}/one`, 'exhibitId'],
    [`/v1/galleries/mainnet/${CURATION}/1`, 'subject'],
    [`/v1/claims/aptos:1/${THINGS}/x/${SENDER}/${RECEIVER}`, 'tokenId'],
    [`/v1/lotteries/eip155:1/${LOTTERY}/1?foo=1`, 'foo'],
  ])('%s names the field', async (path, field) => {
    const { status, body } = await get(path);
    expect([status, body.error.code]).toEqual([400, 'BAD_PARAMETER']);
    expect(body.error.problems.map((problem) => problem.field)).toEqual([field]);
  });
});

describe('what is not there', () => {
  it.each([
    [`/v1/galleries/eip155:1/${CURATION}/99`, 'NOT_FOUND'],
    [`/v1/exhibits/eip155:1/${CURATION}/99`, 'NOT_FOUND'],
    [`/v1/curation-offers/eip155:1/${CURATION}/99`, 'NOT_FOUND'],
    [`/v1/commissions/eip155:1/${POOL}/1/${OWNER}`, 'NOT_FOUND'],
    [`/v1/lotteries/eip155:1/${LOTTERY}/99`, 'NOT_FOUND'],
    [`/v1/prizes/eip155:1/${LOTTERY}/1/99`, 'NOT_FOUND'],
    [`/v1/claims/aptos:1/${THINGS}/1/${SENDER}/${RECEIVER}`, 'NOT_FOUND'],
    [`/v1/token-details/aptos:1/${THINGS}/1`, 'NOT_FOUND'],
    [`/v1/exhibits/eip155:999/${CURATION}/1`, 'UNKNOWN_SUBJECT'],
    ['/v1/prizes?subject=aptos:9', 'UNKNOWN_SUBJECT'],
  ])('%s', async (path, code) => {
    const { status, body } = await get(path);
    expect([status, body.error.code]).toEqual([404, code]);
  });
});
