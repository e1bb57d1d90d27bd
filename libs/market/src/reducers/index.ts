import type { Reducer } from '@imart/core';
import { collectionReducer } from './collections';
import { makerReducer } from './makers';
import { offerReducer, orderReducer } from './orders';
import { balanceReducer, tokenReducer } from './tokens';

/** Every reducer of the market, by aggregate type. */
export const marketReducers: ReadonlyMap<string, Reducer> = new Map(
  [orderReducer, offerReducer, tokenReducer, balanceReducer, collectionReducer, makerReducer].map(
    (reducer) => [
      reducer.aggregateType,
      // A reducer is only ever given the states it made itself: the map forgets which.
      reducer as unknown as Reducer,
    ],
  ),
);
