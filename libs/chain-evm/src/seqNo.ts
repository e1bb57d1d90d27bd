import { createSeqNoCodec, type SeqNoCodec, type SubjectKind } from '@imart/core';

/** Block 32 bits, log index 17, part 14. */
export const EVM_SEQ_NO_LAYOUT = { positionBits: 32, indexBits: 17, partBits: 14 } as const;

/** The codec of every EVM chain: block, log index in the block, part of what one log means. */
export const evmSeqNo: SeqNoCodec = createSeqNoCodec(EVM_SEQ_NO_LAYOUT);

/** EVM chains among the subjects of a database: `eip155:1`. */
export const evmSubjects: SubjectKind = { namespace: 'eip155', seqNos: evmSeqNo };
