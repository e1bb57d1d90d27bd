import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';
import { exampleEvents } from './wapal';

/** Wagmi: the example marketplace with module events. */
export const wagmi: AptosMarketplace = declareMarketplace({
  name: 'wagmi',
  packages: { [MAINNET]: '0x1645ab97846c17347b0c48ce175dd590952c9642907168f8556316be4920ab03' },
  events: exampleEvents(''),
});
