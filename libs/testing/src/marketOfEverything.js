'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.marketOfEverything = marketOfEverything;
const market_1 = require('@imart/market');
const marketEvents_1 = require('./marketEvents');
const randomMarket_1 = require('./randomMarket');
/** A token id above every 256-bit number. */
const EDITION = (1n << 256n) + 7n;
/** Something of every kind of aggregate, with what is easily confused: equal ids, successive rows, hash names. */
function marketOfEverything() {
  const hash = `0x${'ab'.repeat(32)}`;
  return (0, randomMarket_1.addPoison)(
    (0, marketEvents_1.createMarketScript)()
      .listed('5', { price: 2n ** 256n - 1n, expiresAtUs: 1700000000123456n })
      .offered('5', { price: 7n, maker: marketEvents_1.CAROL })
      .nextBlock()
      .filled('5')
      .listed('5', {
        maker: marketEvents_1.BOB,
        items: [(0, marketEvents_1.multi)(2n, 4n)],
        price: 11n,
        nonce: 2n ** 255n,
      })
      .listed(hash, {
        side: 'offer',
        maker: marketEvents_1.CAROL,
        orderHash: hash,
        startsAtUs: 1600000000000000n,
      })
      .nextBlock()
      .cancelled(hash)
      .listed(hash, {
        side: 'listing',
        items: [(0, marketEvents_1.multi)(1n, 2n), (0, marketEvents_1.multi)(2n, 3n)],
        orderHash: hash,
      })
      .nextBlock(3n)
      .filled('5', { items: [(0, marketEvents_1.multi)(2n, 1n)], price: 3n, closes: false })
      .accepted('5')
      .offered('5', { maker: marketEvents_1.BOB })
      .minted(marketEvents_1.ALICE)
      .transferred(marketEvents_1.ALICE, marketEvents_1.BOB)
      .minted(marketEvents_1.CAROL, 2n ** 256n - 1n)
      .burned(marketEvents_1.CAROL, 2n ** 256n - 1n)
      .received(marketEvents_1.BOB, marketEvents_1.ALICE, 2n, 2n ** 256n - 1n)
      .sent(marketEvents_1.ALICE, marketEvents_1.BOB, 2n, 2n ** 256n - 1n)
      .voided(marketEvents_1.ALICE)
      .voided(marketEvents_1.BOB, { belowNonce: 2n ** 256n - 1n, side: 'offer' })
      .nextBlock()
      .event(market_1.AGGREGATE.collection, (0, marketEvents_1.address)('made'), 'CollectionCreated', {
        standard: 'erc721',
        creator: marketEvents_1.ALICE,
        name: 'a "quoted" \\ name\twith\nevery\rthing \\N \\. é 🖼',
        category: '',
        tags: ['one', 'two, "three"', '\\'],
        description: '\\.\n',
        uri: 'ipfs://x',
        royalties: [{ payee: marketEvents_1.BOB, rate: 2n ** 200n }],
        maximum: null,
        nameBytes: '0xff00',
      })
      .nextBlock()
      .event(market_1.AGGREGATE.tokenDetails, `${marketEvents_1.COLLECTION}:${EDITION}`, 'TokenDescribed', {
        standard: 'aptos-v1',
        creator: marketEvents_1.ALICE,
        collectionName: 'Things \\N',
        name: 'Thing\t#1',
        edition: 1n,
        description: null,
        uri: '',
      })
      .event(
        market_1.AGGREGATE.balance,
        `${marketEvents_1.COLLECTION}:${EDITION}:${marketEvents_1.ALICE}`,
        'TokenReceived',
        {
          from: null,
          quantity: 2n,
          balance: 5n,
          standard: 'aptos-v1',
        },
      )
      .event(
        market_1.AGGREGATE.claim,
        (0, market_1.claimAggregateId)(
          marketEvents_1.COLLECTION,
          EDITION,
          marketEvents_1.ALICE,
          marketEvents_1.BOB,
        ),
        'TokenOffered',
        {
          quantity: 1n,
          standard: 'aptos-v1',
        },
      )
      .event(market_1.AGGREGATE.gallery, `${marketEvents_1.MARKET}:1`, 'GalleryChanged', {
        market: 'curation',
        collection: marketEvents_1.COLLECTION,
        tokenId: EDITION,
        standard: 'aptos-v1',
        owner: marketEvents_1.ALICE,
        spaceType: 'hall',
        name: '"Hall"',
        metadataUri: '\\.',
        commissions: [{ payee: marketEvents_1.BOB, rate: 2n ** 64n }],
        commissionPool: null,
        admissions: [marketEvents_1.COLLECTION],
      })
      .event(market_1.AGGREGATE.curationOffer, `${marketEvents_1.MARKET}:1`, 'CurationOfferChanged', {
        market: 'curation',
        status: 'pending',
        collection: marketEvents_1.COLLECTION,
        tokenId: 1n,
        standard: 'erc721',
        galleryId: 1n,
        from: marketEvents_1.ALICE,
        to: marketEvents_1.BOB,
        price: 5n,
        currency: null,
        startsAtUs: 1600000000000000n,
        expiresAtUs: null,
        exhibitExpiresAtUs: 1700000000000001n,
        url: null,
        detail: 'please\n',
      })
      .event(market_1.AGGREGATE.exhibit, `${marketEvents_1.MARKET}:1`, 'ExhibitChanged', {
        market: 'curation',
        status: 'sold',
        collection: marketEvents_1.COLLECTION,
        tokenId: 1n,
        standard: 'erc721',
        galleryId: 1n,
        origin: marketEvents_1.ALICE,
        curator: marketEvents_1.BOB,
        owner: marketEvents_1.CAROL,
        price: 5n,
        currency: null,
        expiresAtUs: null,
        location: '3rd floor',
        url: null,
        detail: null,
      })
      .event(
        market_1.AGGREGATE.commission,
        (0, market_1.commissionAggregateId)(marketEvents_1.MARKET, 1n, marketEvents_1.BOB),
        'CommissionChanged',
        {
          market: 'pool',
          claimable: 2n ** 256n - 1n,
          currency: null,
        },
      )
      .event(market_1.AGGREGATE.lottery, `${marketEvents_1.MARKET}:1`, 'LotteryOpened', {
        market: 'lottery',
        organizer: marketEvents_1.ALICE,
        collection: marketEvents_1.COLLECTION,
        endBlock: 2n ** 256n - 1n,
      })
      .event(market_1.AGGREGATE.lottery, `${marketEvents_1.MARKET}:1`, 'LotteryDrawn', {
        market: 'lottery',
        merkleRoot: hash,
      })
      .event(market_1.AGGREGATE.lottery, `${marketEvents_1.MARKET}:1`, 'LotteryWithdrawn', {
        market: 'lottery',
        organizer: null,
      })
      .event(
        market_1.AGGREGATE.prize,
        (0, market_1.prizeAggregateId)(marketEvents_1.MARKET, 1n, EDITION),
        'PrizeOffered',
        {
          market: 'lottery',
          organizer: marketEvents_1.ALICE,
          collection: marketEvents_1.COLLECTION,
          quantity: 2n,
        },
      )
      .event(
        market_1.AGGREGATE.prize,
        (0, market_1.prizeAggregateId)(marketEvents_1.MARKET, 1n, EDITION),
        'PrizeClaimed',
        {
          market: 'lottery',
          claimer: marketEvents_1.CAROL,
          organizer: null,
        },
      )
      .listed('7', { alongside: true, items: [(0, marketEvents_1.art)(3n)] })
      .listed('7', {
        alongside: true,
        items: [(0, marketEvents_1.art)(3n)],
        price: 2n,
        expiresAtUs: 1700000000000002n,
      })
      .nextBlock()
      .listed('7', {
        alongside: true,
        items: [(0, marketEvents_1.art)(3n), (0, marketEvents_1.art)(4n)],
        price: 3n,
      })
      .filled('7')
      .cancelled('7')
      .listed('6'),
    '6',
  ).filled('6');
}
