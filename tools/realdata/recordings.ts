import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { evmMarketplaces } from '@imart/chain-evm';

/** Where recorded data is: `IMART_SHARED`, or `../shared` beside the repository. */
const RECORDINGS = join(process.env['IMART_SHARED'] ?? resolve(__dirname, '../../../shared'), 'data', 'evm');

/** A recorded file or folder. */
export const recorded = (path: string): string => join(RECORDINGS, path);

/** `describe` where there are recordings; elsewhere it says why it skips. */
export function describeRecorded(name: string, body: () => void): void {
  if (existsSync(RECORDINGS)) return describe(name, body);
  console.warn(`no recordings at ${RECORDINGS}: ${name} is skipped (IMART_SHARED)`);
  describe.skip(name, body);
}

/** Every marketplace that is known on Ethereum mainnet, as the setting MARKETS wants it. */
export const MAINNET_MARKETS = evmMarketplaces
  .filter((market) => market.contracts(1).length > 0)
  .map((market) => market.name)
  .join(',');

/** The folders of mainnet blocks that `sales.csv` and `marketplace-events.csv` are about. */
export const MAINNET_FOLDERS = ['mainnet-14000000', 'mainnet-15000000', 'mainnet-single', 'etl-17173049'];
