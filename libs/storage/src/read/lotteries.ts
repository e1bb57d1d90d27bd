import type { Reads } from './database';
import { matching, matchingNumbers, readerOf } from './named';
import type { Page, PageRequest } from './page';

interface DrawnRecord {
  readonly subject: string;
  readonly contract: string;
  readonly lotteryId: string;
  readonly market: string;
  readonly organizer: string | null;
  readonly collection: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** A lottery. What its opening tells is null when that was not seen. */
export interface LotteryRecord extends DrawnRecord {
  /** `open`, `drawn` or `withdrawn`. */
  readonly status: string;
  /** Number of the last block in which it is open. */
  readonly endBlock: string | null;
  readonly merkleRoot: string | null;
  /** Of all tokens together. */
  readonly prizeCount: string;
  readonly claimedCount: string;
}

/** A token to be won in a lottery. */
export interface PrizeRecord extends DrawnRecord {
  readonly tokenId: string;
  readonly quantity: string | null;
  readonly claimedQuantity: string;
  readonly claimer: string | null;
  /** `claimed`: all of it; `withdrawn`: the rest went back to the organizer; else `open`. */
  readonly state: string;
}

interface DrawnFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly market?: string | undefined;
  readonly contract?: string | undefined;
  readonly organizer?: string | undefined;
  readonly collection?: string | undefined;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface LotteryFilter extends DrawnFilter {
  readonly status?: readonly string[] | undefined;
}

export interface PrizeFilter extends DrawnFilter {
  readonly lotteryId?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly claimer?: string | undefined;
  readonly state?: readonly string[] | undefined;
}

export interface LotteryKey {
  readonly subject: string;
  readonly contract: string;
  readonly lotteryId: string;
}

export interface PrizeKey extends LotteryKey {
  readonly tokenId: string;
}

const COMMON = 'r.contract, r.lottery_id AS "lotteryId", r.market, r.organizer, r.collection';
const PRIZE_STATE = `CASE WHEN r.claimed_quantity >= COALESCE(r.quantity, 1) THEN 'claimed'
  WHEN l.status = 'withdrawn' THEN 'withdrawn' ELSE 'open' END`;

const lotteries = readerOf<LotteryRecord>({
  table: 'lotteries',
  name: [
    { column: 'contract', type: 'text' },
    { column: 'lottery_id', type: 'text' },
  ],
  order: 'newest',
  columns: `${COMMON}, r.status, r.end_block::text AS "endBlock", r.merkle_root AS "merkleRoot",
    p.prizes::text AS "prizeCount", p.claimed::text AS "claimedCount"`,
  joins: `CROSS JOIN LATERAL (
    SELECT COALESCE(sum(p.quantity), 0) AS prizes, COALESCE(sum(p.claimed_quantity), 0) AS claimed FROM prizes p
    WHERE p.subject = r.subject AND p.contract = r.contract AND p.lottery_id = r.lottery_id) p`,
});

const prizes = readerOf<PrizeRecord>({
  table: 'prizes',
  name: [
    { column: 'contract', type: 'text' },
    { column: 'lottery_id', type: 'text' },
    { column: 'token_id', type: 'numeric' },
  ],
  order: 'newest',
  columns: `${COMMON}, r.token_id::text AS "tokenId", r.quantity::text AS "quantity",
    r.claimed_quantity::text AS "claimedQuantity", r.claimer, ${PRIZE_STATE} AS "state"`,
  joins: `LEFT JOIN lotteries l
    ON l.subject = r.subject AND l.contract = r.contract AND l.lottery_id = r.lottery_id`,
});

const drawnConditions = ({ market, contract, organizer, collection }: DrawnFilter) =>
  matching({
    'r.market': market,
    'r.contract': contract,
    'r.organizer': organizer,
    'r.collection': collection,
  });

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listLotteries(db: Reads, filter: LotteryFilter): Promise<Page<LotteryRecord>> {
  return lotteries.list(db, filter, [...drawnConditions(filter), ...matching({ 'r.status': filter.status })]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findLottery(db: Reads, key: LotteryKey): Promise<LotteryRecord | null> {
  return lotteries.find(db, key.subject, [key.contract, key.lotteryId]);
}

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listPrizes(db: Reads, filter: PrizeFilter): Promise<Page<PrizeRecord>> {
  const { lotteryId, tokenId, claimer, state } = filter;
  return prizes.list(db, filter, [
    ...drawnConditions(filter),
    ...matching({ 'r.lottery_id': lotteryId, 'r.claimer': claimer, [`(${PRIZE_STATE})`]: state }),
    ...matchingNumbers({ 'r.token_id': tokenId }),
  ]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findPrize(db: Reads, key: PrizeKey): Promise<PrizeRecord | null> {
  return prizes.find(db, key.subject, [key.contract, key.lotteryId, key.tokenId]);
}
