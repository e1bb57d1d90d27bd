import { aptosSubjects } from '@imart/chain-aptos';
import { evmSubjects } from '@imart/chain-evm';
import { createSeqNosOf } from '@imart/core';

/** Of every chain that the commands can work on. */
export const seqNosOf = createSeqNosOf([evmSubjects, aptosSubjects]);
