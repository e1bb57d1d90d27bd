import { AGGREGATE, balanceAggregateId, tokenAggregateId } from '@imart/market';
import { compileEventDecoder, EventDecodeError } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { cryptoPunks } from './cryptoPunks';
import { transfer, transferBatch, transferSingle } from './tokenTransfers';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

/** A market of its own, whose `Transfer` is an ERC-20's. */
const NOT_HERE: ReadonlySet<string> = new Set(cryptoPunks.contracts(1).map(({ address }) => address));

interface Moved {
  readonly from: string;
  readonly to: string;
  readonly tokenId: bigint;
}

/** Token contracts that do not index all parameters of their `Transfer`: the ids are in the data. */
const unindexed = [
  compileEventDecoder<Moved>('Transfer(address indexed from, address indexed to, uint256 tokenId)'),
  compileEventDecoder<Moved>('Transfer(address from, address to, uint256 tokenId)'),
];

function emitMoved({ from, to, tokenId }: Moved, log: EvmLog, emit: EmitMarketEvent): void {
  const standard = 'erc721';
  const id = tokenAggregateId(log.address, tokenId);
  if (from === ZERO_ADDRESS) {
    if (to !== ZERO_ADDRESS) emit(log, AGGREGATE.token, id, 'TokenMinted', { to, standard });
  } else if (to === ZERO_ADDRESS) emit(log, AGGREGATE.token, id, 'TokenBurned', { from, standard });
  else emit(log, AGGREGATE.token, id, 'TokenTransferred', { from, to, standard });
}

/**
 * Ids in order of first occurrence, each with the sum of its values: an id may be in a batch several times (D8).
 * @throws {EventDecodeError} the values of an id add up to more than a balance can be (D2).
 */
function quantities(ids: readonly bigint[], values: readonly bigint[], topic0: string): Map<bigint, bigint> {
  if (ids.length !== values.length) {
    const reason = `it has ${ids.length} ids and ${values.length} values`;
    throw new EventDecodeError({ event: 'TransferBatch', topic0, reason, path: 'values' });
  }
  const sums = new Map<bigint, bigint>();
  ids.forEach((id, i) => {
    const sum = uint256OrNull((sums.get(id) ?? 0n) + (values[i] as bigint));
    if (sum === null) {
      const reason = `its values of id ${id} add up to more than 2^256 - 1`;
      throw new EventDecodeError({ event: 'TransferBatch', topic0, reason, path: 'values' });
    }
    sums.set(id, sum);
  });
  return sums;
}

/** What leaves the sender first, then what reaches the receiver, id by id. Nothing when nothing is sent. */
function emitQuantities(
  from: string,
  to: string,
  sums: ReadonlyMap<bigint, bigint>,
  log: EvmLog,
  emit: EmitMarketEvent,
): void {
  for (const [tokenId, quantity] of sums) {
    if (quantity === 0n) continue;
    if (from !== ZERO_ADDRESS) {
      emit(log, AGGREGATE.balance, balanceAggregateId(log.address, tokenId, from), 'TokenSent', {
        to,
        quantity,
      });
    }
    if (to !== ZERO_ADDRESS) {
      emit(log, AGGREGATE.balance, balanceAggregateId(log.address, tokenId, to), 'TokenReceived', {
        from,
        quantity,
      });
    }
  }
}

function translateLog(log: EvmLog, isUnindexed: (address: string) => boolean, emit: EmitMarketEvent): void {
  const { address, topics, data } = log;
  if (NOT_HERE.has(address)) return;
  switch (topics[0]) {
    case transfer.topic0: {
      const form = isUnindexed(address)
        ? unindexed.find(({ topicCount }) => topicCount === topics.length)
        : undefined;
      if (form !== undefined) emitMoved(form.decode(topics, data), log, emit);
      // With one topic less it is an ERC-20's (D6).
      else if (topics.length === transfer.topicCount) emitMoved(transfer.decode(topics, data), log, emit);
      return;
    }
    case transferSingle.topic0: {
      const { from, to, id, value } = transferSingle.decode(topics, data);
      emitQuantities(from, to, new Map([[id, value]]), log, emit);
      return;
    }
    case transferBatch.topic0: {
      const { from, to, ids, values } = transferBatch.decode(topics, data);
      emitQuantities(from, to, quantities(ids, values, transferBatch.topic0), log, emit);
      return;
    }
  }
}

/** The role of a contract whose `Transfer` does not index the token id, so that it reads as an ERC-20's. */
export const UNINDEXED_ROLE = 'erc721-unindexed';

/**
 * Who owns what: the transfers of ERC-721 and ERC-1155 collections. Which ones are followed is configuration. CryptoPunks
 * is not a collection here. `unindexedContracts`: the addresses, in canonical form, configured with {@link UNINDEXED_ROLE}.
 */
export function createCollections({
  unindexedContracts,
}: {
  unindexedContracts: ReadonlySet<string>;
}): Marketplace {
  const isUnindexed = (address: string): boolean => unindexedContracts.has(address);
  return {
    name: 'collections',
    contracts: () => [],
    topics: [transfer, transferSingle, transferBatch].map((event) => event.topic0),
    // A hostile collection must not hide what others move in its transaction.
    independentLogs: true,
    needsReceipt: () => false,
    translate({ logs }, emit) {
      for (const log of logs) translateLog(log, isUnindexed, emit);
    },
  };
}
