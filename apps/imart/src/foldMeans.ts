import { marketEventCodec, marketReducers } from '@imart/market';
import type { FoldMeans } from '@imart/storage';
import { seqNosOf } from './seqNosOf';

/** How the log of any chain is folded: the same in every thread. */
export const FOLD_MEANS: FoldMeans = {
  codec: marketEventCodec,
  seqNosOf,
  observerOf: (subjectId) => ({ name: 'market', subjectId, reducers: marketReducers }),
};
