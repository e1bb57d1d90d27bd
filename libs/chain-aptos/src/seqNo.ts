import { createSeqNoCodec, type SeqNoCodec, type SubjectKind } from '@imart/core';

/** Ledger version 36 bits, event index 14, part 13. */
export const APTOS_SEQ_NO_LAYOUT = { positionBits: 36, indexBits: 14, partBits: 13 } as const;

/** The codec of every Aptos ledger: version, event index in the transaction, part of what one event means. */
export const aptosSeqNo: SeqNoCodec = createSeqNoCodec(APTOS_SEQ_NO_LAYOUT);

/** Aptos ledgers among the subjects of a database: `aptos:1`, those of bare events too. */
export const aptosSubjects: SubjectKind = { namespace: 'aptos', seqNos: aptosSeqNo };
