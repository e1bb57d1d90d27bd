import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCreateAddress, Interface, type InterfaceAbi } from 'ethers';
import type { DevnetRpc } from './rpc';

export type ContractName =
  | 'CommissionPool'
  | 'Curation'
  | 'IMartMarket'
  | 'Lottery'
  | 'MixverseSpace'
  | 'MultipleCollective'
  | 'MultipleToken'
  | 'SingleCollective'
  | 'SingleToken';

/** Where the contracts of the development chain are. The addresses, all lower case, are the same on every devnet. */
export interface DevnetContracts {
  readonly market: string;
  readonly mixverse: string;
  readonly singleCollective: string;
  readonly multipleCollective: string;
  /** An ERC-721 and an ERC-1155 collection that no factory created. */
  readonly erc721: string;
  readonly erc1155: string;
  readonly curation: string;
  readonly commissionPool: string;
  readonly lottery: string;
}

interface Artifact {
  readonly abi: InterfaceAbi;
  readonly bytecode: string;
}

function readArtifact(name: ContractName): Artifact {
  return JSON.parse(readFileSync(join(__dirname, '..', 'artifacts', `${name}.json`), 'utf8')) as Artifact;
}

const interfaces = new Map<ContractName, Interface>();

/** The compiled interface of a contract. */
export function interfaceOf(name: ContractName): Interface {
  let found = interfaces.get(name);
  if (found === undefined) interfaces.set(name, (found = new Interface(readArtifact(name).abi)));
  return found;
}

const DEPLOYMENTS = [
  { key: 'market', name: 'IMartMarket', args: [] },
  { key: 'mixverse', name: 'MixverseSpace', args: [] },
  { key: 'singleCollective', name: 'SingleCollective', args: [] },
  { key: 'multipleCollective', name: 'MultipleCollective', args: [] },
  { key: 'erc721', name: 'SingleToken', args: ['IMart Genesis', 'GENESIS', 'ipfs://devnet/genesis'] },
  { key: 'erc1155', name: 'MultipleToken', args: ['IMart Editions', 'ipfs://devnet/editions'] },
  { key: 'curation', name: 'Curation', args: [] },
  { key: 'commissionPool', name: 'CommissionPool', args: [] },
  { key: 'lottery', name: 'Lottery', args: [] },
] as const satisfies readonly { key: keyof DevnetContracts; name: ContractName; args: readonly string[] }[];

/** Where `deployer` puts the contracts when they are its first transactions. */
export function contractsOf(deployer: string): DevnetContracts {
  const entries = DEPLOYMENTS.map(({ key }, nonce) => [
    key,
    getCreateAddress({ from: deployer, nonce }).toLowerCase(),
  ]);
  return Object.fromEntries(entries) as unknown as DevnetContracts;
}

/** Which of the contracts are not on the chain: all of them, or those that came after it was made. */
async function missingOn(rpc: DevnetRpc, contracts: DevnetContracts): Promise<(keyof DevnetContracts)[]> {
  const keys = DEPLOYMENTS.map(({ key }) => key);
  const codes = await rpc.batch<string>(
    keys.map((key) => ({ method: 'eth_getCode', params: [contracts[key], 'latest'] })),
  );
  return keys.filter((_key, i) => codes[i] === '0x');
}

/**
 * Deploys the contracts that are not there yet in one block, the next one; nothing is mined when all are.
 * @throws {Error} when one of them is not where {@link contractsOf} says.
 */
export async function deployContracts(rpc: DevnetRpc, deployer: string): Promise<DevnetContracts> {
  const contracts = contractsOf(deployer);
  const missing = await missingOn(rpc, contracts);
  if (missing.length === 0) return contracts;
  for (const [nonce, { key, name, args }] of DEPLOYMENTS.entries()) {
    if (!missing.includes(key)) continue;
    const owner = args.length === 0 ? [] : [deployer, 0];
    const data =
      readArtifact(name).bytecode +
      interfaceOf(name)
        .encodeDeploy([...args, ...owner])
        .slice(2);
    await rpc.call('eth_sendTransaction', {
      from: deployer,
      nonce: `0x${nonce.toString(16)}`,
      gas: '0x989680',
      gasPrice: '0x174876e800',
      data,
    });
  }
  await rpc.call('evm_mine');
  const [lost] = await missingOn(rpc, contracts);
  if (lost !== undefined) {
    throw new Error(`devnet: contract ${lost} was not deployed at ${contracts[lost]}`);
  }
  return contracts;
}
