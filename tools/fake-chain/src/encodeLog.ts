import type { FakeLog } from '../../../libs/chain-evm/src/testing/fakeChain';
import { interfaceOf, type ContractName, type DevnetContracts } from '../../devnet/src/contracts';
import type { LogArgument } from '../../devnet/src/expected';

/** A log by its meaning: what a contract says, in the order of the event's declaration. Quantities are decimal texts. */
export interface MeantLog {
  readonly address: string;
  readonly event: string;
  readonly args: readonly LogArgument[];
}

/** The log as the contract would have given it, encoded by the contract's compiled interface. */
export function encodeLog(contract: ContractName, { address, event, args }: MeantLog): FakeLog {
  const fragment = interfaceOf(contract).getEvent(event);
  if (fragment === null) throw new RangeError(`${contract} has no event ${event}`);
  // As text, "false" would be true.
  const values = fragment.inputs.map(({ type }, i) => (type === 'bool' ? args[i] === 'true' : args[i]));
  const { topics, data } = interfaceOf(contract).encodeEventLog(fragment, values);
  return { address, topics, data };
}

/** Which contract of the development chain is at this address; what is none of its own contracts is a collection. */
export function contractAt(
  contracts: DevnetContracts,
  address: string,
  standard: 'erc721' | 'erc1155' | undefined,
): ContractName {
  switch (address) {
    case contracts.market:
      return 'IMartMarket';
    case contracts.mixverse:
      return 'MixverseSpace';
    case contracts.singleCollective:
      return 'SingleCollective';
    case contracts.multipleCollective:
      return 'MultipleCollective';
    case contracts.curation:
      return 'Curation';
    case contracts.commissionPool:
      return 'CommissionPool';
    case contracts.lottery:
      return 'Lottery';
    default:
      return standard === 'erc1155' ? 'MultipleToken' : 'SingleToken';
  }
}
