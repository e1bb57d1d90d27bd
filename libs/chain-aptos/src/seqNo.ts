import { APTOS_SEQ_NO_LAYOUT, createSeqNoCodec, type SeqNoCodec } from '@imart/core';

/** The codec of every Aptos ledger: version, event index in the transaction, part of what one event means. */
export const aptosSeqNo: SeqNoCodec = createSeqNoCodec(APTOS_SEQ_NO_LAYOUT);
