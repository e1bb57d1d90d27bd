import { createSeqNoCodec, type SeqNoCodec } from '@imart/core';

/** The codec of the fake chains of tests: block 32 bits, index 17, part 14. */
export const blockSeqNo: SeqNoCodec = createSeqNoCodec({ positionBits: 32, indexBits: 17, partBits: 14 });
