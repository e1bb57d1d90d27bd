import { defineSetting, listOf, type ValueType } from '@imart/runtime';
import { canonicalAddress } from '../address';

/** One entry of `MARKETS`. */
export interface AptosMarketEntry {
  /** A known marketplace's name, or the path of a file that declares one. */
  readonly name: string;
  readonly isFile: boolean;
  /** Its package, canonical; `null`: where it is known to be. */
  readonly packageAddress: string | null;
}

const ADDRESS = /^0x[0-9a-fA-F]{1,64}$/;
const FILE = /[/\\]|\.(?:json|[cm]?js)$/;

/** `wapal`, `imart:0x...`, `./my-market.json:0x...`. */
export const aptosMarketEntry: ValueType<AptosMarketEntry> = {
  label: 'marketplace[:package]',
  parse(entry) {
    const match = /^(.*?)(?::(0x[^:]*))?$/.exec(entry);
    const name = match?.[1] ?? '';
    const address = match?.[2] ?? null;
    if (name === '')
      throw new Error(`'${entry}' names no marketplace; write name, name:package or ./file.json:package`);
    if (address !== null && !ADDRESS.test(address)) {
      throw new Error(`'${entry}': '${address}' is not an address of 0x and up to 64 hex digits`);
    }
    const isFile = FILE.test(name);
    if (!isFile && !/^[a-z0-9.-]+$/.test(name)) {
      throw new Error(
        `'${name}' is not a marketplace's name; names have lower-case letters, digits, '-' and '.'`,
      );
    }
    return { name, isFile, packageAddress: address === null ? null : canonicalAddress(address) };
  },
};

/** The setting that says what of a ledger is followed: apart from {@link aptosChainSettings}, for programs that follow all of it, or nothing. */
export const aptosMarketSettings = {
  markets: defineSetting({
    name: 'MARKETS',
    type: listOf(aptosMarketEntry),
    group: 'Market',
    example: 'tokens,wapal,imart:0xa11ce',
    meaning:
      "Marketplaces to follow, each where it is known to be or at the package after its colon; 'tokens' for who owns what; a file that declares a marketplace of your own by its path.",
  }),
};
