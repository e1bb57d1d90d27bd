import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';
import { exampleEvents } from './wapal';

/** Rarible: the example marketplace with module events; one package, many marketplaces. */
export const rarible: AptosMarketplace = declareMarketplace({
  name: 'rarible',
  packages: { [MAINNET]: '0x465a0051e8535859d4794f0af24dbf35c5349bedadab26404b20b825035ee790' },
  events: exampleEvents(''),
});
