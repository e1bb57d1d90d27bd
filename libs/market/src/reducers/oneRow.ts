import { BEFORE_FIRST, type FoldState, type StateRow } from '@imart/core';

/** The state of an aggregate that is one row: what its id says, and the row. */
export type OneRowState<Id extends object, Row extends StateRow> = FoldState &
  Id & { readonly row: Row | null };

/** The parts of a reducer that do not depend on its events, where an aggregate is one row of one table. */
export function oneRow<Id extends object, Row extends StateRow>(
  table: Row['table'],
  idOf: (aggregateId: string) => Id,
) {
  const initial = (aggregateId: string): OneRowState<Id, Row> => ({
    seqNo: BEFORE_FIRST,
    version: 0,
    ...idOf(aggregateId),
    row: null,
  });
  return {
    tables: [table],
    initial,
    restore(aggregateId: string, rows: readonly StateRow[]): OneRowState<Id, Row> {
      const row = (rows[0] as Row | undefined) ?? null;
      const untouched = initial(aggregateId);
      return row === null ? untouched : { ...untouched, seqNo: row.seqNo, version: row.version, row };
    },
    rowsOf: ({ row }: OneRowState<Id, Row>): readonly Row[] => (row === null ? [] : [row]),
  };
}
