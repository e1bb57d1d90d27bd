import { id, keccak256, toUtf8Bytes } from 'ethers';
import { bloomOf, EMPTY_BLOOM } from '../bloom';
import { quantity, toNumber, toRpcForm } from '../hex';
import { listOf, objectAt, textAt, type Json, type RecordedBlock } from '../recording';

const ZERO_HASH = `0x${'00'.repeat(32)}`;
const ZERO_ADDRESS = `0x${'00'.repeat(20)}`;
const NO_UNCLES = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';

/** A header that no miner made, in the shape of a real one. */
export function syntheticHeader(place: {
  number: number;
  hash: string;
  parentHash: string;
  timestamp: number;
  logsBloom?: string;
}): Json {
  return {
    number: quantity(place.number),
    hash: place.hash,
    parentHash: place.parentHash,
    timestamp: quantity(place.timestamp),
    logsBloom: place.logsBloom ?? EMPTY_BLOOM,
    sha3Uncles: NO_UNCLES,
    uncles: [],
    miner: ZERO_ADDRESS,
    nonce: '0x0000000000000000',
    mixHash: ZERO_HASH,
    stateRoot: ZERO_HASH,
    receiptsRoot: ZERO_HASH,
    transactionsRoot: ZERO_HASH,
    extraData: '0x',
    difficulty: '0x0',
    gasLimit: '0x1c9c380',
    gasUsed: '0x0',
    size: '0x200',
  };
}

function syntheticTransaction(receipt: Json): Json {
  return {
    hash: receipt['transactionHash'],
    blockHash: receipt['blockHash'],
    blockNumber: receipt['blockNumber'],
    transactionIndex: receipt['transactionIndex'],
    from: receipt['from'],
    to: receipt['to'],
    gas: receipt['gasUsed'],
    gasPrice: receipt['effectiveGasPrice'],
    input: '0x',
    nonce: '0x0',
    type: '0x0',
    value: '0x0',
  };
}

/** Block 0: the chain's real hash over a synthetic header without transactions. */
export function genesisBlock(hash: string): RecordedBlock {
  return {
    number: 0,
    hash,
    parentHash: ZERO_HASH,
    header: syntheticHeader({ number: 0, hash, parentHash: ZERO_HASH, timestamp: 0 }),
    transactions: [],
    receipts: [],
    chainId: undefined,
    extent: 'synthetic',
    file: 'genesis',
    problems: [],
  };
}

export function isEthersReceipt(value: Json): boolean {
  return 'transactionHash' in value && 'byzantium' in value && Array.isArray(value['logs']);
}

/**
 * One zkSync receipt in ethers v5 shape, as a block of that one transaction under its recorded number and hash. The
 * logs' topics and data are left as they are, wrong ones too; as on zkSync, the header's logsBloom is empty.
 */
export function readEthersReceipt(source: Json, file: string): RecordedBlock {
  const number = toNumber(source['blockNumber']);
  const hash = textAt(source, 'blockHash');
  const parentHash = id(`parent of ${hash}`);
  const receipt: Json = {
    ...toRpcForm(source, ['byzantium', 'confirmations', 'root']),
    logs: listOf(source, 'logs').map(({ index, logIndex, ...log }) =>
      toRpcForm({ ...log, logIndex: logIndex ?? index, removed: false }),
    ),
  };
  return {
    number,
    hash,
    parentHash,
    header: syntheticHeader({ number, hash, parentHash, timestamp: 1_680_000_000 + number }),
    transactions: [syntheticTransaction(receipt)],
    receipts: [receipt],
    chainId: 324,
    extent: 'synthetic',
    file,
    problems: [],
  };
}

/** The contract that emits an event when a case does not say it. */
const EMITTERS: Readonly<Record<string, string>> = {
  // Seaport 1.1: OrderFulfilled, OrderCancelled.
  '0x9d9af8e38d66c62e2c12f0225249fd9d721c54b83f48d9352c97c6cacdcb6f31':
    '0x00000000006c3852cbef3e08e8df289169ede581',
  '0x6bacc01dbe442496068f7d234edd811f1a5f833243e0aec824f86ab861f3c90d':
    '0x00000000006c3852cbef3e08e8df289169ede581',
  // LooksRare v1: TakerBid.
  '0x95fb6205e23ff6bda16a2d1dba56b9ad7c783f67c96fa149785052f47696f2be':
    '0x59728544b08ab483533076417fbbb2fd0b17ce3a',
};

export function isCase(value: Json): boolean {
  return 'case' in value && 'log' in value;
}

/**
 * Single logs without a block: each becomes a block of one transaction with one log, numbered from `firstNumber` on and
 * linked to each other. `addresses` overrides, by position from 0, the emitting contract, which else is the recorded one
 * or the first deployment on mainnet of the contract that emits such an event.
 */
export function readCases(
  cases: readonly Json[],
  file: string,
  options: { firstNumber: number; addresses: Readonly<Record<number, string>>; parentHash: string },
): RecordedBlock[] {
  let parentHash = options.parentHash;
  return cases.map((source, i) => {
    const recorded = objectAt(source, 'log');
    const topics = recorded['topics'] as readonly string[];
    const address = options.addresses[i] ?? (source['address'] as string | null) ?? EMITTERS[topics[0] ?? ''];
    if (address === undefined)
      throw new Error(`case ${i} has no address; name one with --case-address ${i}=0x...`);
    const number = options.firstNumber + i;
    const hash = keccak256(toUtf8Bytes(JSON.stringify([number, parentHash, recorded])));
    const transactionHash = (source['txHash'] as string | null) ?? id(`transaction of ${hash}`);
    const place = {
      blockHash: hash,
      blockNumber: quantity(number),
      transactionHash,
      transactionIndex: '0x0',
    };
    const log = { ...place, address: address.toLowerCase(), ...recorded, logIndex: '0x0', removed: false };
    const logsBloom = bloomOf([log]);
    const receipt: Json = {
      ...place,
      from: `0x${'f0'.repeat(20)}`,
      to: log.address,
      status: '0x1',
      type: '0x0',
      gasUsed: '0x5208',
      cumulativeGasUsed: '0x5208',
      effectiveGasPrice: '0x3b9aca00',
      contractAddress: null,
      logs: [log],
      logsBloom,
    };
    const header = syntheticHeader({
      number,
      hash,
      parentHash,
      timestamp: 1_660_000_000 + i * 12,
      logsBloom,
    });
    const block: RecordedBlock = {
      number,
      hash,
      parentHash,
      header,
      transactions: [syntheticTransaction(receipt)],
      receipts: [receipt],
      chainId: undefined,
      extent: 'synthetic',
      file,
      problems: [],
    };
    parentHash = hash;
    return block;
  });
}
