import type { ActionOf } from '../actions';
import type { ExpectedActivityKind } from '../expected';
import { hasApproved, moveToken, tokenOf } from './erc721';
import {
  demand,
  type ActivityDraft,
  type LotteryState,
  type ModelState,
  type PredictedLog,
  type PrizeState,
  type Stamped,
} from './state';

const updates =
  (...changed: readonly Stamped[]) =>
  (time: number) => {
    for (const one of changed) one.updatedAt = time;
  };
const creates =
  (...made: readonly Stamped[]) =>
  (time: number) => {
    for (const one of made) one.createdAt = one.updatedAt = time;
  };

function lotteryOf(state: ModelState, id: bigint): LotteryState {
  const lottery = state.lotteries[Number(id) - 1];
  demand(lottery !== undefined, `no lottery ${id}`);
  return lottery;
}

function prizeActivity(
  kind: ExpectedActivityKind,
  lottery: LotteryState,
  tokenId: bigint | null,
  from: string | null,
  to: string | null,
): ActivityDraft {
  return {
    kind,
    orderId: String(lottery.id),
    side: null,
    collection: lottery.collection,
    tokenId: tokenId === null ? null : String(tokenId),
    quantity: tokenId === null ? null : '1',
    from,
    to,
    price: null,
  };
}

/** A token of which the lottery is the owner is nobody's to act on. */
function moveTo(state: ModelState, collection: string, tokenId: bigint, to: string): PredictedLog {
  const token = tokenOf(state, collection, tokenId);
  const log = moveToken(token, to);
  if (to === state.contracts.lottery) state.open.tokens.delete(token);
  else state.open.tokens.add(token);
  return log;
}

/** The lottery holds its prizes. */
export function createLottery(state: ModelState, action: ActionOf<'createLottery'>): PredictedLog[] {
  const { by: organizer, collection, tokenIds, endBlock } = action;
  const { lottery: address } = state.contracts;
  demand(hasApproved(state, collection, organizer, address), 'the organizer has not approved the lottery');
  for (const tokenId of tokenIds) {
    demand(tokenOf(state, collection, tokenId).owner === organizer, 'only the owner sets out prizes');
  }
  const lottery: LotteryState = {
    id: BigInt(state.lotteries.length + 1),
    organizer,
    collection,
    endBlock,
    merkleRoot: null,
    isWithdrawn: false,
    left: [...tokenIds],
    createdAt: 0,
    updatedAt: 0,
  };
  const prizes = tokenIds.map((tokenId): PrizeState => ({
    lottery,
    tokenId,
    claimer: null,
    createdAt: 0,
    updatedAt: 0,
  }));
  state.lotteries.push(lottery);
  state.open.lotteries.add(lottery);
  for (const prize of prizes) state.prizes.set(`${lottery.id}:${prize.tokenId}`, prize);
  const created: PredictedLog = {
    address,
    event: 'CreateActivity',
    args: [organizer, String(lottery.id), collection, tokenIds.map(String), String(endBlock)],
    activities: tokenIds.map((tokenId) => prizeActivity('PRIZE', lottery, tokenId, organizer, null)),
    stamp: creates(lottery, ...prizes),
  };
  return [created, ...tokenIds.map((tokenId) => moveTo(state, collection, tokenId, address))];
}

export function drawLottery(state: ModelState, action: ActionOf<'drawLottery'>): PredictedLog[] {
  const lottery = lotteryOf(state, action.lotteryId);
  demand(lottery.organizer === action.by, 'only the organizer draws');
  lottery.merkleRoot = action.merkleRoot;
  return [
    {
      address: state.contracts.lottery,
      event: 'MerkleRoot',
      args: [String(lottery.id), action.merkleRoot],
      activities: [],
      stamp: updates(lottery),
    },
  ];
}

export function claimPrize(state: ModelState, action: ActionOf<'claimPrize'>): PredictedLog[] {
  const { by: claimer, tokenId } = action;
  const lottery = lotteryOf(state, action.lotteryId);
  demand(lottery.merkleRoot !== null, 'it is not drawn');
  const place = lottery.left.indexOf(tokenId);
  demand(place >= 0, 'no such prize');
  // As the contract does: the last one takes the place of the one that went.
  lottery.left[place] = lottery.left.at(-1) as bigint;
  lottery.left.pop();
  if (lottery.left.length === 0) state.open.lotteries.delete(lottery);
  const prize = state.prizes.get(`${lottery.id}:${tokenId}`) as PrizeState;
  prize.claimer = claimer;
  const { organizer, collection } = lottery;
  const claimed: PredictedLog = {
    address: state.contracts.lottery,
    event: 'Claimed',
    args: [claimer, organizer, String(lottery.id), String(tokenId)],
    activities: [prizeActivity('PRIZE_CLAIM', lottery, tokenId, organizer, claimer)],
    stamp: updates(prize),
  };
  return [claimed, moveTo(state, collection, tokenId, claimer)];
}

export function withdrawPrizes(state: ModelState, action: ActionOf<'withdrawPrizes'>): PredictedLog[] {
  const lottery = lotteryOf(state, action.lotteryId);
  const { organizer, collection } = lottery;
  demand(organizer === action.by, 'only the organizer withdraws');
  const back = lottery.left.splice(0);
  lottery.isWithdrawn = true;
  state.open.lotteries.delete(lottery);
  const withdrawn: PredictedLog = {
    address: state.contracts.lottery,
    event: 'WithdrawPrize',
    args: [organizer, String(lottery.id)],
    activities: [prizeActivity('PRIZE_WITHDRAW', lottery, null, null, organizer)],
    stamp: updates(lottery),
  };
  return [withdrawn, ...back.map((tokenId) => moveTo(state, collection, tokenId, organizer))];
}
