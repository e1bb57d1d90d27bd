import { type SeqNoCodec } from '@imart/core';
/** The codec of the fake chains of tests: block 32 bits, index 17, part 14. */
export declare const blockSeqNo: SeqNoCodec;
