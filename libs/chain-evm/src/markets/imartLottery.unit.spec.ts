import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { imartLottery } from './imartLottery';

const LOTTERY = addressOf(0x107);
const [ORGANIZER, WINNER, OTHER, NFT] = [1, 2, 3, 4].map(addressOf) as [string, string, string, string];
const ROOT = `0x${'ab'.repeat(32)}`;

const created = (tokenIds: readonly bigint[], endBlock = 2n ** 256n - 1n): EvmLog =>
  encodeLog(
    LOTTERY,
    'CreateActivity(address indexed organizer, uint256 indexed activityId, address nftContractAddress, uint256[] tokenIds, uint256 indexed endBlockNumber)',
    [ORGANIZER, 7n, NFT, tokenIds, endBlock],
  );
const claimed = (claimer: string, tokenId: bigint): EvmLog =>
  encodeLog(
    LOTTERY,
    'Claimed(address indexed claimer, address indexed organizer, uint256 indexed activityId, uint256 tokenId)',
    [claimer, ORGANIZER, 7n, tokenId],
  );
const claimedOfOld = (claimer: string, tokenId: bigint): EvmLog =>
  encodeLog(
    LOTTERY,
    'Claimed(address indexed claimer, uint256 indexed activityId, uint256 indexed tokenId)',
    [claimer, 7n, tokenId],
  );
const root = (): EvmLog =>
  encodeLog(LOTTERY, 'MerkleRoot(uint256 indexed activityId, bytes32 merkleRoot)', [7n, ROOT]);
const withdrawn = (): EvmLog =>
  encodeLog(LOTTERY, 'WithdrawPrize(address indexed organizer, uint256 indexed activityId)', [ORGANIZER, 7n]);

const fold = (...transactions: EvmLog[][]) =>
  foldEvents(
    translateReceipts(
      imartLottery,
      [LOTTERY],
      transactions.map((logs, i) => receiptWith(i + 1, logs)),
    ),
  );

describe('IMart’s lottery', () => {
  it('sets out prizes until a block, each a row of its own', () => {
    const { rows, activities } = fold([created([1n, 2n ** 256n - 1n])]);
    expect(rows).toMatchObject([
      {
        table: 'lotteries',
        contract: LOTTERY,
        id: '7',
        market: 'imart-lottery',
        status: 'open',
        organizer: ORGANIZER,
        collection: NFT,
        endBlock: 2n ** 256n - 1n,
        merkleRoot: null,
      },
      { table: 'prizes', lotteryId: '7', tokenId: 1n, collection: NFT, quantity: 1n, claimer: null },
      { table: 'prizes', lotteryId: '7', tokenId: 2n ** 256n - 1n, quantity: 1n, claimedQuantity: 0n },
    ]);
    expect(activities).toMatchObject([
      { kind: 'PRIZE', from: ORGANIZER, tokenId: 1n, orderId: '7' },
      { kind: 'PRIZE', tokenId: 2n ** 256n - 1n },
    ]);
  });

  it('counts a token id that is named several times as one prize of several', () => {
    expect(fold([created([5n, 5n, 5n])]).rows[1]).toMatchObject({ tokenId: 5n, quantity: 3n });
  });

  it('is drawn, won and ended', () => {
    const { rows, activities } = fold([created([1n, 2n])], [root()], [claimed(WINNER, 1n)], [withdrawn()]);
    expect(rows).toMatchObject([
      { table: 'lotteries', status: 'withdrawn', merkleRoot: ROOT },
      { tokenId: 1n, claimer: WINNER, claimedQuantity: 1n },
      { tokenId: 2n, claimer: null, claimedQuantity: 0n },
    ]);
    expect(activities.slice(2)).toMatchObject([
      { kind: 'PRIZE_CLAIM', from: ORGANIZER, to: WINNER, tokenId: 1n, collection: NFT },
      { kind: 'PRIZE_WITHDRAW', to: ORGANIZER },
    ]);
  });

  it('reads the claims of the first contracts too, which do not name the organizer', () => {
    const { rows, activities } = fold([created([1n])], [claimedOfOld(OTHER, 1n)]);
    expect(rows[1]).toMatchObject({ claimer: OTHER, organizer: ORGANIZER });
    expect(activities.at(-1)).toMatchObject({ kind: 'PRIZE_CLAIM', from: ORGANIZER, to: OTHER });
  });

  it('does not take other lotteries’ claims for its own', () => {
    const { rows } = fold(
      [created([1n])],
      [
        encodeLog(
          LOTTERY,
          'Claimed(address indexed claimer, address indexed organizer, uint256 indexed activityId, uint256 tokenId)',
          [OTHER, ORGANIZER, 8n, 1n],
        ),
      ],
    );
    expect(rows).toMatchObject([
      { table: 'lotteries' },
      { lotteryId: '7', claimer: null },
      { lotteryId: '8', claimer: OTHER, quantity: null },
    ]);
  });

  it('parks what cannot be decoded', () => {
    expect(() => fold([{ ...root(), data: '0x' }])).toThrow(expect.objectContaining({ disposition: 'park' }));
  });
});
