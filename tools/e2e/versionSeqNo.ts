import { createSeqNoCodec } from '@imart/core';

/** The SeqNos of the chain that {@link file://./versionWorker.ts} reads: it is no chain that the product knows. */
export const versionSeqNo = createSeqNoCodec({ positionBits: 36, indexBits: 14, partBits: 13 });
