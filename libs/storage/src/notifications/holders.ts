import type { ClientBase } from 'pg';
import { aggregateHash, type FoldState, type Reducer, type SeqNo } from '@imart/core';
import { AGGREGATE, balanceAggregateId, marketReducers, type BalanceRow } from '@imart/market';
import { decodeState } from '@imart/pipeline';
import { eventColumns, NOT_SKIPPED, readEvents, type LogContext } from '../subject/eventLog';

/** Most holders of a token that exists several times who are taken for its owners: those who have most. */
const HOLDERS_MAX = 16;
/** So many of a token's last moves are looked at: whoever took no part in them is not among its holders. */
const MOVES_MAX = 256;
/** Moments whose holders are read at once: what is in memory are the parties of the moves before them. */
const MOMENTS_MAX = 64;

const reducer = marketReducers.get(AGGREGATE.balance) as Reducer;

/** A token, before an event. */
export interface TokenMoment {
  readonly seqNo: SeqNo;
  readonly collection: string;
  readonly tokenId: bigint;
}

/** The last moves of one kind: the index has the kind before the token, so each kind is walked backwards by itself. */
const lastMoves = (kind: string): string =>
  `(SELECT v.from_address, v.to_address, v.seq_no FROM activities v WHERE v.subject = $1 AND v.collection = a.collection
      AND v.kind = '${kind}' AND v.token_id = a.token_id AND v.seq_no < a.seq_no ORDER BY v.seq_no DESC LIMIT ${MOVES_MAX})`;

/** Parameters: subject, seq nos, collections, token ids. */
const SELECT_PARTIES = `
  SELECT a.no, b.owner, b.quantity::text AS quantity, b.seq_no >= a.seq_no AS moved_since
  FROM unnest($2::bigint[], $3::text[], $4::numeric[]) WITH ORDINALITY AS a(seq_no, collection, token_id, no)
  CROSS JOIN LATERAL (
    SELECT DISTINCT p.owner FROM (
      SELECT * FROM (${['MINT', 'TRANSFER', 'BURN'].map(lastMoves).join(' UNION ALL ')}) moves ORDER BY seq_no DESC LIMIT ${MOVES_MAX}
    ) last CROSS JOIN LATERAL (VALUES (last.from_address), (last.to_address)) p(owner)
  ) party
  JOIN balances b ON b.subject = $1 AND b.collection = a.collection AND b.token_id = a.token_id AND b.owner = party.owner
  ORDER BY a.no`;

/** Parameters: subject, hashes and ids of balances, the moments, version of the reducer. */
const SELECT_PASTS = `
  SELECT k.no, base.state, e.*
  FROM unnest($2::bigint[], $3::text[], $4::bigint[]) WITH ORDINALITY AS k(hash, id, before, no)
  LEFT JOIN LATERAL (
    SELECT s.seq_no, s.state FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = k.hash AND s.aggregate_type = '${AGGREGATE.balance}'
      AND s.aggregate_id = k.id AND s.reducer_version = $5 AND s.seq_no < k.before ORDER BY s.seq_no DESC LIMIT 1
  ) base ON true
  LEFT JOIN LATERAL (
    SELECT ${eventColumns('e')} FROM event_log e WHERE e.subject = $1 AND e.aggregate_hash = k.hash AND e.aggregate_type = '${AGGREGATE.balance}'
      AND e.aggregate_id = k.id AND e.seq_no < k.before AND e.seq_no > coalesce(base.seq_no, -1) AND ${NOT_SKIPPED}
  ) e ON true
  ORDER BY k.no, e.seq_no`;

interface Party {
  /** Place in what was asked for, from 1. */
  readonly no: number;
  readonly owner: string;
  readonly quantity: bigint;
  /** Whether `quantity` is of a later moment than was asked for. */
  readonly movedSince: boolean;
}

/**
 * Who had most of each token just before each moment, by quantity: of those who took part in its last {@link MOVES_MAX} moves before it, at
 * most {@link HOLDERS_MAX}. What happened at the moment or later does not count, whenever it is asked. Empty for tokens that have one
 * owner. The caller's transaction sees to it that all is of one state of the tables.
 */
export async function readHolders(
  client: ClientBase,
  log: LogContext,
  moments: readonly TokenMoment[],
): Promise<readonly (readonly string[])[]> {
  const holders: (readonly string[])[] = [];
  for (let i = 0; i < moments.length; i += MOMENTS_MAX) {
    holders.push(...(await holdersOf(client, log, moments.slice(i, i + MOMENTS_MAX))));
  }
  return holders;
}

async function holdersOf(
  client: ClientBase,
  log: LogContext,
  moments: readonly TokenMoment[],
): Promise<readonly (readonly string[])[]> {
  const { rows } = await client.query(SELECT_PARTIES, [
    log.subject,
    moments.map(({ seqNo }) => seqNo.toString()),
    moments.map(({ collection }) => collection),
    moments.map(({ tokenId }) => tokenId.toString()),
  ]);
  const parties = (rows as { no: string; owner: string; quantity: string; moved_since: boolean }[]).map(
    (row): Party => ({
      no: Number(row.no),
      owner: row.owner,
      quantity: BigInt(row.quantity),
      movedSince: row.moved_since,
    }),
  );
  const moved = parties.filter(({ movedSince }) => movedSince);
  const before = await quantitiesBefore(
    client,
    log,
    moved.map(({ no, owner }) => ({ ...(moments[no - 1] as TokenMoment), owner })),
  );
  const then = new Map(moved.map((party, i) => [party, before[i] as bigint]));
  const held: { owner: string; quantity: bigint }[][] = moments.map(() => []);
  for (const party of parties) {
    const quantity = then.get(party) ?? party.quantity;
    if (quantity > 0n) held[party.no - 1]?.push({ owner: party.owner, quantity });
  }
  return held.map((of) =>
    of
      .sort((a, b) =>
        a.quantity === b.quantity ? (a.owner < b.owner ? -1 : 1) : a.quantity > b.quantity ? -1 : 1,
      )
      .slice(0, HOLDERS_MAX)
      .map(({ owner }) => owner),
  );
}

/** What owners had, folded from the log: their rows know only what they have now. */
async function quantitiesBefore(
  client: ClientBase,
  log: LogContext,
  asked: readonly (TokenMoment & { readonly owner: string })[],
): Promise<readonly bigint[]> {
  if (asked.length === 0) return [];
  const ids = asked.map(({ collection, tokenId, owner }) => balanceAggregateId(collection, tokenId, owner));
  const { rows } = await client.query(SELECT_PASTS, [
    log.subject,
    ids.map((id) => aggregateHash(AGGREGATE.balance, id).toString()),
    ids,
    asked.map(({ seqNo }) => seqNo.toString()),
    reducer.version,
  ]);
  const states = new Map<number, FoldState>();
  for (const row of rows as { no: string; state: string | null; seq_no: string | null }[]) {
    const no = Number(row.no);
    const state =
      states.get(no) ??
      (row.state === null ? reducer.initial(ids[no - 1] as string) : decodeState(row.state));
    const [event] = row.seq_no === null ? [] : readEvents(log, [row]);
    // It folded before: the owner's row has come to what is later.
    states.set(no, event === undefined ? state : reducer.fold(state, event).state);
  }
  return ids.map((_id, i) => {
    const [row] = reducer.rowsOf(states.get(i + 1) as FoldState);
    return row === undefined ? 0n : (row as unknown as BalanceRow).quantity;
  });
}
