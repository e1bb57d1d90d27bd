import { AGGREGATE } from '@imart/market';
import { address, ALICE, BOB, CAROL, createMarketScript, multi, type MarketScript } from './marketEvents';
import { addPoison } from './randomMarket';

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
      .listed('6'),
    '6',
  ).filled('6');
}
