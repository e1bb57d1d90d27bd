import type { AggregateKey, StateRow } from '@imart/core';
/** The aggregate that a row belongs to. */
export declare function aggregateOfRow(anyRow: StateRow): AggregateKey;
