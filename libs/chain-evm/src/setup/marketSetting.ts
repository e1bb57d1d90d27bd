import type { ValueType } from '@imart/runtime';

/** One entry of `MARKETS`. */
export interface MarketEntry {
  /** A known marketplace's name, or the path of a file that exports one. */
  readonly name: string;
  readonly isFile: boolean;
  /** Where it is deployed; `null`: where it is known to be. */
  readonly address: string | null;
}

/** Which token contracts are followed besides those that the markets' factories create. */
export type CollectionsSetting =
  | { readonly kind: 'factories' }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'listed';
      readonly collections: readonly { readonly address: string; readonly unindexed: boolean }[];
    };

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const FILE = /[/\\]|\.[cm]?js$/;

/** `imart:0x...`, `seaport-1.5`, `./my-market.js:0x...`. */
export const marketEntry: ValueType<MarketEntry> = {
  label: 'marketplace[:address]',
  parse(entry) {
    const match = /^(.*?)(?::(0x[^:]*))?$/.exec(entry);
    const name = match?.[1] ?? '';
    const address = match?.[2] ?? null;
    if (name === '')
      throw new Error(`'${entry}' names no marketplace; write name, name:address or ./file.js:address`);
    if (address !== null && !ADDRESS.test(address)) {
      throw new Error(`'${entry}': '${address}' is not an address of 0x and 40 hex digits`);
    }
    const isFile = FILE.test(name);
    if (!isFile && !/^[a-z0-9.-]+$/.test(name)) {
      throw new Error(
        `'${name}' is not a marketplace's name; names have lower-case letters, digits, '-' and '.'`,
      );
    }
    return { name, isFile, address: address?.toLowerCase() ?? null };
  },
};

/** `factories`, `all`, or addresses; `:unindexed` after one says that its Transfer events index nothing. */
export const collectionsSetting: ValueType<CollectionsSetting> = {
  label: 'factories | all | list of addresses[:unindexed]',
  parse(value) {
    if (value === 'factories' || value === 'all') return { kind: value };
    const collections = value.split(',').map((part) => {
      const [address = '', suffix, ...rest] = part.trim().split(':');
      if (!ADDRESS.test(address) || rest.length > 0 || (suffix !== undefined && suffix !== 'unindexed')) {
        throw new Error(
          `'${part.trim()}' is neither 'factories', 'all' nor an address of 0x and 40 hex digits`,
        );
      }
      return { address: address.toLowerCase(), unindexed: suffix === 'unindexed' };
    });
    return { kind: 'listed', collections };
  },
};
