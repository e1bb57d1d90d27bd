import { evmMarketplaces, knownChainIds } from '.';

describe('chains where marketplaces are known to be', () => {
  it('are all of those that any marketplace names, and no other', () => {
    // Beyond the ids of every chain that a marketplace here is deployed on.
    const scanned = Array.from({ length: 100_000 }, (_, chainId) => chainId);
    const named = scanned.filter((chainId) =>
      evmMarketplaces.some((marketplace) => marketplace.contracts(chainId).length > 0),
    );
    expect(knownChainIds).toEqual(named);
  });
});
