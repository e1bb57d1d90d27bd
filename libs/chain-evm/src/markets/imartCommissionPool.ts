import { AGGREGATE, commissionAggregateId } from '@imart/market';
import type { Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'imart-commission-pool';

const handlers = [
  on<{ galleryId: bigint; payee: string; claimableBalance: bigint }>(
    'ClaimableUpdated(uint256 indexed galleryId, address payee, uint256 claimableBalance)',
    ({ galleryId, payee, claimableBalance }, log, emit) => {
      const id = commissionAggregateId(log.address, galleryId, payee);
      emit(log, AGGREGATE.commission, id, 'CommissionChanged', {
        market: MARKET,
        claimable: claimableBalance,
        currency: ZERO_ADDRESS,
      });
    },
  ),
];

/**
 * IMart's pool of commissions: what each payee of a gallery can claim, in native coin. Galleries name their pool. Its
 * address is always configuration.
 */
export const imartCommissionPool: Marketplace = {
  name: MARKET,
  contracts: () => [],
  independentLogs: true,
  needsReceipt: () => false,
  ...translateEach(handlers),
};
