import { id as hashOf } from 'ethers';
import type { Action } from './actions';
import { anyToken, approved, type Choice } from './choice';

const PRIZES_MAX = 4;
const UINT256_MAX = (1n << 256n) - 1n;

function createLottery(choice: Choice): Action[] | null {
  const { state, random } = choice;
  const token = anyToken(choice);
  if (token === null) return null;
  const { collection, owner: by } = token;
  const more = state.open.tokens.items.filter(
    (other) => other !== token && other.collection === collection && other.owner === by,
  );
  const tokenIds = [token, ...more].slice(0, 1 + random.below(PRIZES_MAX)).map(({ tokenId }) => tokenId);
  const endBlock = random.chance(0.1) ? UINT256_MAX : BigInt(1_000 + random.below(1_000_000));
  const action: Action = { kind: 'createLottery', by, collection, tokenIds, endBlock };
  return approved(choice, action, collection, by, state.contracts.lottery);
}

/** What happens in lotteries; `null` when nobody has a token to set out. */
export function chooseLottery(choice: Choice): Action[] | null {
  const { state, random, accounts } = choice;
  const { items } = state.open.lotteries;
  if (items.length < 2 || random.chance(0.2)) return createLottery(choice);
  const { id: lotteryId, organizer, merkleRoot, left } = random.pick(items);
  if (random.chance(0.15)) return [{ kind: 'withdrawPrizes', by: organizer, lotteryId }];
  if (merkleRoot === null || random.chance(0.05)) {
    const root = hashOf(`root of ${lotteryId} by ${random.below(1_000)}`);
    return [{ kind: 'drawLottery', by: organizer, lotteryId, merkleRoot: root }];
  }
  return [{ kind: 'claimPrize', by: random.pick(accounts), lotteryId, tokenId: random.pick(left) }];
}
