'use strict';
var _a;
Object.defineProperty(exports, '__esModule', { value: true });
exports.multi =
  exports.art =
  exports.NATIVE =
  exports.DAVE =
  exports.CAROL =
  exports.BOB =
  exports.ALICE =
  exports.MULTIPLE =
  exports.COLLECTION =
  exports.MARKET =
  exports.SUBJECT =
    void 0;
exports.address = address;
exports.createMarketScript = createMarketScript;
const blockSeqNo_1 = require('./blockSeqNo');
const market_1 = require('@imart/market');
const fakeSubject_1 = require('./fakeSubject');
exports.SUBJECT = 'eip155:31337';
/** A short name of an account or contract as an address: the same name, the same address. */
function address(name) {
  return `0x${Buffer.from(name).toString('hex').slice(0, 40).padStart(40, '0')}`;
}
exports.MARKET = address('market');
exports.COLLECTION = address('art');
exports.MULTIPLE = address('multi');
((_a = ['alice', 'bob', 'carol', 'dave'].map(address)),
  (exports.ALICE = _a[0]),
  (exports.BOB = _a[1]),
  (exports.CAROL = _a[2]),
  (exports.DAVE = _a[3]));
exports.NATIVE = address('');
const art = (tokenId = 1n) => ({
  collection: exports.COLLECTION,
  tokenId,
  quantity: 1n,
  standard: 'erc721',
});
exports.art = art;
const multi = (tokenId, quantity) => ({
  collection: exports.MULTIPLE,
  tokenId,
  quantity,
  standard: 'erc1155',
});
exports.multi = multi;
const opened = {
  ...market_1.PLAIN_OPENED,
  market: 'imart',
  side: 'listing',
  maker: exports.ALICE,
  items: [(0, exports.art)()],
  price: 100n,
  currency: exports.NATIVE,
};
const filled = { ...market_1.PLAIN_SALE, market: 'imart', side: null, buyer: exports.BOB, closes: null };
const cancelled = { ...market_1.PLAIN_CANCELLED, market: 'imart', side: null };
function createMarketScript() {
  const events = [];
  let position = 1n;
  let index = 0;
  const orderId = (id) => `${exports.MARKET}:${id}`;
  const script = {
    events,
    nextBlock(blocks = 1n) {
      position += blocks;
      index = 0;
      return script;
    },
    event(type, id, name, data) {
      const block = (0, fakeSubject_1.fakeBlock)(position);
      events.push({
        subjectId: exports.SUBJECT,
        seqNo: blockSeqNo_1.blockSeqNo.encode(position, index, 0),
        aggregateType: type,
        aggregateId: id,
        name,
        data,
        source: {
          position,
          index,
          txHash: `0x${(position * 1000n + BigInt(index)).toString(16).padStart(64, '0')}`,
          blockHash: block.hash,
          timeUs: block.timeUs,
          address: exports.MARKET,
        },
      });
      index++;
      return script;
    },
    listed: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.order, orderId(id), 'OrderListed', { ...opened, ...changes }),
    priceChanged: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.order, orderId(id), 'OrderPriceChanged', {
        market: 'imart',
        price: 200n,
        expiresAtUs: null,
        ...changes,
      }),
    filled: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.order, orderId(id), 'OrderFilled', { ...filled, ...changes }),
    cancelled: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.order, orderId(id), 'OrderCancelled', { ...cancelled, ...changes }),
    offered: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.offer, orderId(id), 'OfferCreated', {
        ...opened,
        side: 'offer',
        maker: exports.BOB,
        ...changes,
      }),
    accepted: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.offer, orderId(id), 'OfferAccepted', {
        ...filled,
        buyer: null,
        seller: exports.ALICE,
        ...changes,
      }),
    offerCancelled: (id, changes = {}) =>
      script.event(market_1.AGGREGATE.offer, orderId(id), 'OfferCancelled', { ...cancelled, ...changes }),
    voided: (maker, changes = {}) =>
      script.event(market_1.AGGREGATE.maker, `${exports.MARKET}:${maker}`, 'MakerOrdersVoided', {
        market: 'imart',
        maker,
        belowNonce: null,
        side: null,
        ...changes,
      }),
    minted: (to, tokenId = 1n) =>
      script.event(market_1.AGGREGATE.token, `${exports.COLLECTION}:${tokenId}`, 'TokenMinted', {
        to,
        standard: 'erc721',
      }),
    transferred: (from, to, tokenId = 1n) =>
      script.event(market_1.AGGREGATE.token, `${exports.COLLECTION}:${tokenId}`, 'TokenTransferred', {
        from,
        to,
        standard: 'erc721',
      }),
    burned: (from, tokenId = 1n) =>
      script.event(market_1.AGGREGATE.token, `${exports.COLLECTION}:${tokenId}`, 'TokenBurned', {
        from,
        standard: 'erc721',
      }),
    received: (owner, from, tokenId, quantity) =>
      script.event(market_1.AGGREGATE.balance, `${exports.MULTIPLE}:${tokenId}:${owner}`, 'TokenReceived', {
        from,
        quantity,
      }),
    sent: (owner, to, tokenId, quantity) =>
      script.event(market_1.AGGREGATE.balance, `${exports.MULTIPLE}:${tokenId}:${owner}`, 'TokenSent', {
        to,
        quantity,
      }),
  };
  return script;
}
