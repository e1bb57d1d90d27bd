import { AGGREGATE, prizeAggregateId } from '@imart/market';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';

const MARKET = 'imart-lottery';

interface Created {
  readonly organizer: string;
  readonly activityId: bigint;
  readonly nftContractAddress: string;
  readonly tokenIds: readonly bigint[];
  readonly endBlockNumber: bigint;
}

interface Claim {
  readonly claimer: string;
  readonly activityId: bigint;
  readonly tokenId: bigint;
}

/** The lottery and, each by itself, its prizes: an id that is named several times is won as often. */
function emitCreated(created: Created, log: EvmLog, emit: EmitMarketEvent): void {
  const { organizer, activityId, nftContractAddress: collection } = created;
  emit(log, AGGREGATE.lottery, `${log.address}:${activityId}`, 'LotteryOpened', {
    market: MARKET,
    organizer,
    collection,
    endBlock: created.endBlockNumber,
  });
  const quantities = new Map<bigint, bigint>();
  for (const tokenId of created.tokenIds) quantities.set(tokenId, (quantities.get(tokenId) ?? 0n) + 1n);
  for (const [tokenId, quantity] of quantities) {
    emit(log, AGGREGATE.prize, prizeAggregateId(log.address, activityId, tokenId), 'PrizeOffered', {
      market: MARKET,
      organizer,
      collection,
      quantity,
    });
  }
}

function emitClaimed(claim: Claim, organizer: string | null, log: EvmLog, emit: EmitMarketEvent): void {
  const { claimer, activityId, tokenId } = claim;
  emit(log, AGGREGATE.prize, prizeAggregateId(log.address, activityId, tokenId), 'PrizeClaimed', {
    market: MARKET,
    claimer,
    organizer,
  });
}

const handlers = [
  on<Created>(
    'CreateActivity(address indexed organizer, uint256 indexed activityId, address nftContractAddress, uint256[] tokenIds, uint256 indexed endBlockNumber)',
    emitCreated,
  ),
  on<Claim & { organizer: string }>(
    'Claimed(address indexed claimer, address indexed organizer, uint256 indexed activityId, uint256 tokenId)',
    (claim, log, emit) => emitClaimed(claim, claim.organizer, log, emit),
  ),
  // Of the first contracts.
  on<Claim>(
    'Claimed(address indexed claimer, uint256 indexed activityId, uint256 indexed tokenId)',
    (claim, log, emit) => emitClaimed(claim, null, log, emit),
  ),
  on<{ activityId: bigint; merkleRoot: string }>(
    'MerkleRoot(uint256 indexed activityId, bytes32 merkleRoot)',
    ({ activityId, merkleRoot }, log, emit) => {
      const id = `${log.address}:${activityId}`;
      emit(log, AGGREGATE.lottery, id, 'LotteryDrawn', { market: MARKET, merkleRoot });
    },
  ),
  on<{ organizer: string; activityId: bigint }>(
    'WithdrawPrize(address indexed organizer, uint256 indexed activityId)',
    ({ organizer, activityId }, log, emit) => {
      const id = `${log.address}:${activityId}`;
      emit(log, AGGREGATE.lottery, id, 'LotteryWithdrawn', { market: MARKET, organizer });
    },
  ),
];

/**
 * IMart's lottery: tokens that an organizer sets out, the root of the tree of winners, claims, and what the organizer takes
 * back. Its address is always configuration.
 */
export const imartLottery: Marketplace = {
  name: MARKET,
  contracts: () => [],
  independentLogs: true,
  needsReceipt: () => false,
  ...translateEach(handlers),
};
