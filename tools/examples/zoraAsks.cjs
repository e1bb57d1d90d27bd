// @ts-check
'use strict';

/**
 * A marketplace in one file, of the kind that `MARKETS=./zoraAsks.cjs` loads: Zora v3 asks. See docs/add-a-marketplace.md.
 * A token has at most one ask; making another one, or changing price or currency, replaces it.
 */

/** Where it is deployed, by chain id. A setting with an address (`./zoraAsks.cjs:0x...`) takes its place. */
const ADDRESSES = {
  1: '0x6170b3c3a54c3d8c854934cbc314ed479b2b29a3',
  137: '0x3634e984ba0373cfa178986fd19f03ba4dd8e469',
};

/** keccak256 of each event's signature; `ask` is (seller, sellerFundsRecipient, askCurrency, findersFeeBps, askPrice). */
const TOPIC = {
  /** AskCreated(address indexed tokenContract, uint256 indexed tokenId, ask) */
  created: '0x5b65b398e1d736436510f4da442eaec71466d2abee0816567088c892c4bcee70',
  /** AskPriceUpdated(address indexed tokenContract, uint256 indexed tokenId, ask) */
  priceUpdated: '0x1a24bcf5290feab70f35cfb4870c294ebf497e608d4262b0ec0debe045008140',
  /** AskCanceled(address indexed tokenContract, uint256 indexed tokenId, ask) */
  canceled: '0x871956abf85befb7c955eacd40fcabe7e01b1702d75764bf7f54bf481933fd35',
  /** AskFilled(address indexed tokenContract, uint256 indexed tokenId, address indexed buyer, address finder, ask) */
  filled: '0x21a9d8e221211780696258a05c6225b1a24f428e2fd4d51708f1ab2be4224d39',
};

/**
 * The n-th 32-byte word of hex data.
 * @param {string} hex
 * @param {number} n
 */
function wordAt(hex, n) {
  const word = hex.slice(2 + n * 64, 66 + n * 64);
  if (word.length !== 64) throw new Error(`the data has no word ${n}`);
  return word;
}

/**
 * The address in a topic or a word: its last 20 bytes.
 * @param {string} word
 */
function addressOf(word) {
  return `0x${word.slice(-40)}`;
}

/**
 * The ask, whose five words begin at the n-th: no part of it is of variable length, so it lies in the data as it is.
 * @param {string} data
 * @param {number} n
 */
function askAt(data, n) {
  return {
    seller: addressOf(wordAt(data, n)),
    currency: addressOf(wordAt(data, n + 2)),
    // Amounts are bigint throughout: a JavaScript number would lose digits.
    price: BigInt(`0x${wordAt(data, n + 4)}`),
  };
}

/** @type {import('@imart/chain-evm').Marketplace} */
const marketplace = {
  name: 'zora-asks',
  contracts: (chainId) => (chainId in ADDRESSES ? [{ address: ADDRESSES[chainId] }] : []),
  topics: Object.values(TOPIC),
  // Each log tells everything; a market that names a party only in the token's transfer answers true here.
  needsReceipt: () => false,

  translate(transaction, emit) {
    for (const log of transaction.logs) {
      const [topic, contractTopic, tokenTopic, buyerTopic] = log.topics;
      const collection = addressOf(contractTopic);
      const tokenId = BigInt(tokenTopic);
      const items = [{ collection, tokenId, quantity: 1n, standard: 'erc721' }];
      // Every event of an order must name it alike: here the token does, as there is one ask for it.
      const id = `${log.address}:${collection}:${tokenId}`;

      if (topic === TOPIC.created || topic === TOPIC.priceUpdated) {
        const ask = askAt(log.data, 0);
        emit(log, 'order', id, 'OrderListed', {
          market: 'zora-asks',
          side: 'listing',
          kind: 'fixed',
          maker: ask.seller,
          taker: null,
          items,
          price: ask.price,
          currency: ask.currency,
          startsAtUs: null,
          expiresAtUs: null,
          nonce: null,
          orderHash: null,
          escrow: false,
        });
      } else if (topic === TOPIC.filled) {
        const ask = askAt(log.data, 1);
        emit(log, 'order', id, 'OrderFilled', {
          market: 'zora-asks',
          side: 'listing',
          seller: ask.seller,
          buyer: addressOf(buyerTopic),
          items,
          price: ask.price,
          currency: ask.currency,
          // Royalties and the finder's fee are paid from it, and not in this log.
          fees: null,
          isSale: true,
          closes: true,
          nonce: null,
          orderHash: null,
        });
      } else {
        emit(log, 'order', id, 'OrderCancelled', {
          market: 'zora-asks',
          side: 'listing',
          maker: askAt(log.data, 0).seller,
          items,
          onlyIfOpen: false,
          onlyMaker: null,
          nonce: null,
          orderHash: null,
        });
      }
    }
  },
};

module.exports = { marketplace };
