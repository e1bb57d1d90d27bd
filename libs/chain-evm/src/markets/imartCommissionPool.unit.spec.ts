import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { imartCommissionPool } from './imartCommissionPool';
import { ZERO_ADDRESS } from '../zeroAddress';

const POOL = addressOf(0x900);
const [PAYEE, OTHER] = [1, 2].map(addressOf) as [string, string];

const updated = (galleryId: bigint, payee: string, balance: bigint): EvmLog =>
  encodeLog(POOL, 'ClaimableUpdated(uint256 indexed galleryId, address payee, uint256 claimableBalance)', [
    galleryId,
    payee,
    balance,
  ]);
const fold = (...transactions: EvmLog[][]) =>
  foldEvents(
    translateReceipts(
      imartCommissionPool,
      [POOL],
      transactions.map((logs, i) => receiptWith(i + 1, logs)),
    ),
  );

describe('IMart’s pool of commissions', () => {
  it('keeps for each gallery and payee what can be claimed, amounts of 256 bits exact (D2)', () => {
    const { rows, activities } = fold(
      [updated(7n, PAYEE, 5n), updated(7n, OTHER, 2n ** 256n - 1n), updated(8n, PAYEE, 1n)],
      [updated(7n, PAYEE, 12n)],
      [updated(8n, PAYEE, 0n)],
    );
    expect(rows).toMatchObject([
      {
        table: 'commissions',
        contract: POOL,
        galleryId: 7n,
        payee: PAYEE,
        market: 'imart-commission-pool',
        claimable: 12n,
        currency: ZERO_ADDRESS,
        version: 2,
      },
      { galleryId: 7n, payee: OTHER, claimable: 2n ** 256n - 1n, version: 1 },
      { galleryId: 8n, payee: PAYEE, claimable: 0n, version: 2 },
    ]);
    expect(activities).toEqual([]);
  });

  it('asks for no receipt, and parks what cannot be decoded', () => {
    const log = updated(7n, PAYEE, 5n);
    expect(imartCommissionPool.needsReceipt(log)).toBe(false);
    expect(() => fold([{ ...log, data: '0x' }])).toThrow(expect.objectContaining({ disposition: 'park' }));
  });
});
