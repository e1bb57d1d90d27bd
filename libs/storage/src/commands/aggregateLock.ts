import { aggregateHash } from '@imart/core';
import type { CommandContext } from './context';

/*
 * Where markers are kept beside the database, no row of it stands for "nobody marks this aggregate now". This lock does: shared by
 * whoever writes a message, alone for whoever archives or decides anew. Two aggregates of one number wait for each other, no more.
 */
const key = ({ log: { subject }, aggregateType }: CommandContext, aggregateId: string): string =>
  `${subject}, ${BigInt.asIntN(32, aggregateHash(aggregateType, aggregateId))}`;

/** SQL: until the end of the transaction nobody has the aggregate alone. */
export const lockShared = (context: CommandContext, aggregateId: string): string =>
  `SELECT pg_advisory_xact_lock_shared(${key(context, aggregateId)})`;

/** SQL: until the end of the transaction nobody else has the aggregate. The subject's row is locked before. */
export const lockAlone = (context: CommandContext, aggregateId: string): string =>
  `SELECT pg_advisory_xact_lock(${key(context, aggregateId)})`;
