import type { Reducer } from '@imart/core';
import { claimReducer } from './claims';
import { collectionReducer } from './collections';
import { commissionReducer } from './commissions';
import { curationOfferReducer, exhibitReducer, galleryReducer } from './curation';
import { lotteryReducer, prizeReducer } from './lotteries';
import { makerReducer } from './makers';
import { offerReducer, orderReducer } from './orders';
import { tokenDetailsReducer } from './tokenDetails';
import { balanceReducer, tokenReducer } from './tokens';

/** Every reducer of the market, by aggregate type. */
export const marketReducers: ReadonlyMap<string, Reducer> = new Map(
  [
    orderReducer,
    offerReducer,
    tokenReducer,
    balanceReducer,
    collectionReducer,
    makerReducer,
    tokenDetailsReducer,
    claimReducer,
    galleryReducer,
    curationOfferReducer,
    exhibitReducer,
    commissionReducer,
    lotteryReducer,
    prizeReducer,
  ].map((reducer) => [
    reducer.aggregateType,
    // A reducer is only ever given the states it made itself: the map forgets which.
    reducer as unknown as Reducer,
  ]),
);
