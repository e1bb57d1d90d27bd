import { AGGREGATE } from '@imart/market';
import { compileEventDecoder, EventDecodeError, type SanitisedText } from '../abi';
import type { Marketplace } from '../marketplace';

interface CollectionCreated {
  readonly root: string;
  readonly creator: string;
  readonly name: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly uri: string;
  readonly payees: readonly string[];
  readonly royalties: readonly bigint[];
  readonly maximum: bigint;
}

const created = compileEventDecoder<CollectionCreated>(
  'CollectionCreated(address root, address creator, string name, string category, string[] tags, string description, string uri, address[] payees, uint256[] royalties, uint64 maximum)',
);

/** A factory: the collections that it makes are followed from their creation on. Its address is always configuration. */
function collective(name: string, standard: 'erc721' | 'erc1155'): Marketplace {
  return {
    name,
    contracts: () => [],
    topics: [created.topic0],
    needsReceipt: () => false,
    discover(log) {
      try {
        return [{ address: created.decode(log.topics, log.data).root, standard }];
      } catch (error) {
        // `translate` meets the same log and says so.
        if (error instanceof EventDecodeError) return [];
        throw error;
      }
    },
    translate(transaction, emit) {
      for (const log of transaction.logs) {
        const mended: SanitisedText[] = [];
        const event = created.decode(log.topics, log.data, mended);
        emit(log, AGGREGATE.collection, event.root, 'CollectionCreated', {
          standard,
          creator: event.creator,
          name: event.name,
          category: event.category,
          tags: event.tags,
          description: event.description,
          uri: event.uri,
          royalties: event.payees.map((payee, i) => ({ payee, rate: event.royalties[i] ?? 0n })),
          maximum: event.maximum === 0n ? null : event.maximum,
          nameBytes: mended.find((text) => text.path === 'name')?.rawHex ?? null,
        });
      }
    },
  };
}

/** IMart's factory of ERC-721 collections. */
export const singleCollective: Marketplace = collective('single-collective', 'erc721');
/** IMart's factory of ERC-1155 collections. */
export const multipleCollective: Marketplace = collective('multiple-collective', 'erc1155');
