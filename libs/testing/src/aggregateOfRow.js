'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.aggregateOfRow = aggregateOfRow;
const market_1 = require('@imart/market');
/** The aggregate that a row belongs to. */
function aggregateOfRow(anyRow) {
  const row = anyRow;
  switch (row.table) {
    case 'orders':
    case 'offers':
      return { aggregateType: row.aggregateType, aggregateId: `${row.contract}:${row.id}` };
    case 'tokens':
      return { aggregateType: market_1.AGGREGATE.token, aggregateId: `${row.collection}:${row.tokenId}` };
    case 'balances':
      return {
        aggregateType: market_1.AGGREGATE.balance,
        aggregateId: `${row.collection}:${row.tokenId}:${row.owner}`,
      };
    case 'collections':
      return { aggregateType: market_1.AGGREGATE.collection, aggregateId: row.address };
    case 'token_details':
      return {
        aggregateType: market_1.AGGREGATE.tokenDetails,
        aggregateId: `${row.collection}:${row.tokenId}`,
      };
    case 'claims':
      return {
        aggregateType: market_1.AGGREGATE.claim,
        aggregateId: `${row.collection}:${row.tokenId}:${row.sender}:${row.receiver}`,
      };
    case 'galleries':
      return { aggregateType: market_1.AGGREGATE.gallery, aggregateId: `${row.contract}:${row.id}` };
    case 'curation_offers':
      return { aggregateType: market_1.AGGREGATE.curationOffer, aggregateId: `${row.contract}:${row.id}` };
    case 'exhibits':
      return { aggregateType: market_1.AGGREGATE.exhibit, aggregateId: `${row.contract}:${row.id}` };
    case 'commissions':
      return {
        aggregateType: market_1.AGGREGATE.commission,
        aggregateId: `${row.contract}:${row.galleryId}:${row.payee}`,
      };
    case 'lotteries':
      return { aggregateType: market_1.AGGREGATE.lottery, aggregateId: `${row.contract}:${row.id}` };
    case 'prizes':
      return {
        aggregateType: market_1.AGGREGATE.prize,
        aggregateId: `${row.contract}:${row.lotteryId}:${row.tokenId}`,
      };
    case 'makers':
      return { aggregateType: market_1.AGGREGATE.maker, aggregateId: `${row.contract}:${row.maker}` };
  }
}
