import type { AggregateKey, StateRow } from '@imart/core';
import { AGGREGATE, type MarketRow } from '@imart/market';

/** The aggregate that a row belongs to. */
export function aggregateOfRow(anyRow: StateRow): AggregateKey {
  const row = anyRow as MarketRow;
  switch (row.table) {
    case 'orders':
    case 'offers':
      return { aggregateType: row.aggregateType, aggregateId: `${row.contract}:${row.id}` };
    case 'tokens':
      return { aggregateType: AGGREGATE.token, aggregateId: `${row.collection}:${row.tokenId}` };
    case 'balances':
      return {
        aggregateType: AGGREGATE.balance,
        aggregateId: `${row.collection}:${row.tokenId}:${row.owner}`,
      };
    case 'collections':
      return { aggregateType: AGGREGATE.collection, aggregateId: row.address };
    case 'token_details':
      return { aggregateType: AGGREGATE.tokenDetails, aggregateId: `${row.collection}:${row.tokenId}` };
    case 'claims':
      return {
        aggregateType: AGGREGATE.claim,
        aggregateId: `${row.collection}:${row.tokenId}:${row.sender}:${row.receiver}`,
      };
    case 'galleries':
      return { aggregateType: AGGREGATE.gallery, aggregateId: `${row.contract}:${row.id}` };
    case 'curation_offers':
      return { aggregateType: AGGREGATE.curationOffer, aggregateId: `${row.contract}:${row.id}` };
    case 'exhibits':
      return { aggregateType: AGGREGATE.exhibit, aggregateId: `${row.contract}:${row.id}` };
    case 'commissions':
      return {
        aggregateType: AGGREGATE.commission,
        aggregateId: `${row.contract}:${row.galleryId}:${row.payee}`,
      };
    case 'lotteries':
      return { aggregateType: AGGREGATE.lottery, aggregateId: `${row.contract}:${row.id}` };
    case 'prizes':
      return {
        aggregateType: AGGREGATE.prize,
        aggregateId: `${row.contract}:${row.lotteryId}:${row.tokenId}`,
      };
    case 'makers':
      return { aggregateType: AGGREGATE.maker, aggregateId: `${row.contract}:${row.maker}` };
  }
}
