import { AGGREGATE, claimAggregateId, commissionAggregateId, prizeAggregateId } from '@imart/market';
import {
  address,
  ALICE,
  art,
  BOB,
  CAROL,
  COLLECTION,
  createMarketScript,
  MARKET,
  multi,
  type MarketScript,
} from './marketEvents';
import { addPoison } from './randomMarket';

/** A token id above every 256-bit number. */
const EDITION = (1n << 256n) + 7n;

/** Something of every kind of aggregate, with what is easily confused: equal ids, successive rows, hash names. */
export function marketOfEverything(): MarketScript {
  const hash = `0x${'ab'.repeat(32)}`;
  return addPoison(
    createMarketScript()
      .listed('5', { price: 2n ** 256n - 1n, expiresAtUs: 1_700_000_000_123_456n })
      .offered('5', { price: 7n, maker: CAROL })
      .nextBlock()
      .filled('5')
      .listed('5', { maker: BOB, items: [multi(2n, 4n)], price: 11n, nonce: 2n ** 255n })
      .listed(hash, { side: 'offer', maker: CAROL, orderHash: hash, startsAtUs: 1_600_000_000_000_000n })
      .nextBlock()
      .cancelled(hash)
      .listed(hash, { side: 'listing', items: [multi(1n, 2n), multi(2n, 3n)], orderHash: hash })
      .nextBlock(3n)
      .filled('5', { items: [multi(2n, 1n)], price: 3n, closes: false })
      .accepted('5')
      .offered('5', { maker: BOB })
      .minted(ALICE)
      .transferred(ALICE, BOB)
      .minted(CAROL, 2n ** 256n - 1n)
      .burned(CAROL, 2n ** 256n - 1n)
      .received(BOB, ALICE, 2n, 2n ** 256n - 1n)
      .sent(ALICE, BOB, 2n, 2n ** 256n - 1n)
      .voided(ALICE)
      .voided(BOB, { belowNonce: 2n ** 256n - 1n, side: 'offer' })
      .nextBlock()
      .event(AGGREGATE.collection, address('made'), 'CollectionCreated', {
        standard: 'erc721',
        creator: ALICE,
        name: 'a "quoted" \\ name\twith\nevery\rthing \\N \\. é 🖼',
        category: '',
        tags: ['one', 'two, "three"', '\\'],
        description: '\\.\n',
        uri: 'ipfs://x',
        royalties: [{ payee: BOB, rate: 2n ** 200n }],
        maximum: null,
        nameBytes: '0xff00',
      })
      .nextBlock()
      .event(AGGREGATE.tokenDetails, `${COLLECTION}:${EDITION}`, 'TokenDescribed', {
        standard: 'aptos-v1',
        creator: ALICE,
        collectionName: 'Things \\N',
        name: 'Thing\t#1',
        edition: 1n,
        description: null,
        uri: '',
      })
      .event(AGGREGATE.balance, `${COLLECTION}:${EDITION}:${ALICE}`, 'TokenReceived', {
        from: null,
        quantity: 2n,
        balance: 5n,
        standard: 'aptos-v1',
      })
      .event(AGGREGATE.claim, claimAggregateId(COLLECTION, EDITION, ALICE, BOB), 'TokenOffered', {
        quantity: 1n,
        standard: 'aptos-v1',
      })
      .event(AGGREGATE.gallery, `${MARKET}:1`, 'GalleryChanged', {
        market: 'curation',
        collection: COLLECTION,
        tokenId: EDITION,
        standard: 'aptos-v1',
        owner: ALICE,
        spaceType: 'hall',
        name: '"Hall"',
        metadataUri: '\\.',
        commissions: [{ payee: BOB, rate: 2n ** 64n }],
        commissionPool: null,
        admissions: [COLLECTION],
      })
      .event(AGGREGATE.curationOffer, `${MARKET}:1`, 'CurationOfferChanged', {
        market: 'curation',
        status: 'pending',
        collection: COLLECTION,
        tokenId: 1n,
        standard: 'erc721',
        galleryId: 1n,
        from: ALICE,
        to: BOB,
        price: 5n,
        currency: null,
        startsAtUs: 1_600_000_000_000_000n,
        expiresAtUs: null,
        exhibitExpiresAtUs: 1_700_000_000_000_001n,
        url: null,
        detail: 'please\n',
      })
      .event(AGGREGATE.exhibit, `${MARKET}:1`, 'ExhibitChanged', {
        market: 'curation',
        status: 'sold',
        collection: COLLECTION,
        tokenId: 1n,
        standard: 'erc721',
        galleryId: 1n,
        origin: ALICE,
        curator: BOB,
        owner: CAROL,
        price: 5n,
        currency: null,
        expiresAtUs: null,
        location: '3rd floor',
        url: null,
        detail: null,
      })
      .event(AGGREGATE.commission, commissionAggregateId(MARKET, 1n, BOB), 'CommissionChanged', {
        market: 'pool',
        claimable: 2n ** 256n - 1n,
        currency: null,
      })
      .event(AGGREGATE.lottery, `${MARKET}:1`, 'LotteryOpened', {
        market: 'lottery',
        organizer: ALICE,
        collection: COLLECTION,
        endBlock: 2n ** 256n - 1n,
      })
      .event(AGGREGATE.lottery, `${MARKET}:1`, 'LotteryDrawn', { market: 'lottery', merkleRoot: hash })
      .event(AGGREGATE.lottery, `${MARKET}:1`, 'LotteryWithdrawn', { market: 'lottery', organizer: null })
      .event(AGGREGATE.prize, prizeAggregateId(MARKET, 1n, EDITION), 'PrizeOffered', {
        market: 'lottery',
        organizer: ALICE,
        collection: COLLECTION,
        quantity: 2n,
      })
      .event(AGGREGATE.prize, prizeAggregateId(MARKET, 1n, EDITION), 'PrizeClaimed', {
        market: 'lottery',
        claimer: CAROL,
        organizer: null,
      })
      .listed('7', { alongside: true, items: [art(3n)] })
      .listed('7', { alongside: true, items: [art(3n)], price: 2n, expiresAtUs: 1_700_000_000_000_002n })
      .nextBlock()
      .listed('7', { alongside: true, items: [art(3n), art(4n)], price: 3n })
      .filled('7')
      .cancelled('7')
      .listed('6'),
    '6',
  ).filled('6');
}
