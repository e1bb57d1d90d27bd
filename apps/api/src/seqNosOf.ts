import { aptosSubjects } from '@imart/chain-aptos';
import { evmSubjects } from '@imart/chain-evm';
import { createSeqNosOf } from '@imart/core';

/** Of every chain that the API shows. */
export const seqNosOf = createSeqNosOf([evmSubjects, aptosSubjects]);
