import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { interfaceOf } from './contracts';

describe('contract artifacts', () => {
  it('are what the sources give', () => {
    // In a process of its own: the compiler is an ES module's 9 MB of WebAssembly.
    const compile = () =>
      execFileSync(process.execPath, [join(__dirname, '..', 'compile.mjs'), '--check'], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(compile).not.toThrow();
  });

  it('have exactly the events of the markets', () => {
    const events = (name: Parameters<typeof interfaceOf>[0]) =>
      interfaceOf(name)
        .fragments.filter(({ type }) => type === 'event')
        .map((event) => event.format('full'))
        .sort();
    expect(events('IMartMarket')).toEqual([
      'event Delisted(uint256 indexed orderId)',
      'event Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
      'event OfferAccepted(uint256 indexed offerId, address indexed seller)',
      'event OfferCanceled(uint256 indexed offerId)',
      'event OfferCreated(uint256 indexed offerId, address indexed collection, uint256 indexed tokenId, address bidder, uint256 price, uint64 expiresAt)',
      'event Sold(uint256 indexed orderId, address indexed buyer, uint256 price)',
    ]);
    const topics = (name: Parameters<typeof interfaceOf>[0]) =>
      Object.fromEntries(
        interfaceOf(name)
          .fragments.filter(({ type }) => type === 'event')
          .map((event) => {
            const found = interfaceOf(name).getEvent(event.format('sighash').replace('event ', ''));
            return [found?.name, found?.topicHash.slice(0, 10)];
          }),
      );
    expect(topics('SingleCollective')).toEqual({ CollectionCreated: '0x86edab83' });
    expect(topics('MultipleCollective')).toEqual({ CollectionCreated: '0x86edab83' });
    expect(topics('Curation')).toEqual({
      GalleryChanged: '0x1c7babc4',
      ExhibitChanged: '0x66db01a2',
      OfferChanged: '0xbf076646',
    });
    expect(topics('CommissionPool')).toEqual({ ClaimableUpdated: '0xae8f8bf7' });
    expect(topics('Lottery')).toEqual({
      CreateActivity: '0xeece7c57',
      Claimed: '0x2f6639d2',
      MerkleRoot: '0x48211a20',
      WithdrawPrize: '0xa73ef00c',
    });
    expect(topics('MixverseSpace')).toEqual({
      ItemListedEvent: '0x87ed4be4',
      ItemPurchasedEvent: '0xbc1e0e4e',
      ItemSoldEvent: '0xe81b3c76',
      ItemCanceledEvent: '0x686a736c',
    });
  });
});
