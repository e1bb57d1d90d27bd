import type { SubjectId, WorkerError } from '@imart/core';
import { canonicalAddress } from '../address';
import { HandlesChangedError, MixedSourcesError, NetworkRestartedError } from '../errors';
import type { EventHandle } from '../source/handleEvents';
import { canonicalStructTag } from '../structTag';
import { aptosSubjectId } from '../subject/options';

/** A subject of a database, with what was followed of it. */
export interface RegisteredLedger {
  readonly subjectId: SubjectId;
  readonly followed: string;
}

/** A ledger that is about to be read. */
export interface LedgerToRead {
  readonly chainId: number;
  /** The settings name the chain id; else it is what the endpoints said. */
  readonly isStated: boolean;
  readonly bareEvents: boolean;
  /** Its handles, where its events are bare; see {@link handlesText}. */
  readonly followedBy: string;
}

const textOf = ({ address, struct, field }: EventHandle): string =>
  `${canonicalAddress(address)}/${canonicalStructTag(struct)}/${field}`;

/** Handles in the order that bare events of one version have, however a setting writes them; each once. */
export function inOrder(handles: readonly EventHandle[]): readonly EventHandle[] {
  const byText = new Map(handles.map((handle) => [textOf(handle), handle]));
  return [...byText.keys()].sort().map((text) => byText.get(text) as EventHandle);
}

const BY = ' by ';

/** Handles as a part of what is followed. */
export const handlesText = (handles: readonly EventHandle[]): string =>
  `${BY}${inOrder(handles).map(textOf).join(' ')}`;

/** Networks that keep their chain id; every other one is a devnet, which begins anew under another. */
const LASTING = [1, 2];

/**
 * Why a ledger may not be read into a database that has these subjects; `null`: it may. Transactions and bare events are never mixed, nor
 * bare events in two orders; and a devnet that has another chain id than before is not silently followed beside what it was.
 */
export function refusedBeside(
  registered: readonly RegisteredLedger[],
  { chainId, isStated, bareEvents, followedBy }: LedgerToRead,
): WorkerError | null {
  const id = aptosSubjectId(chainId, bareEvents);
  const own = registered.find(({ subjectId }) => subjectId === id);
  if (own !== undefined) {
    const before = own.followed.includes(BY) ? own.followed.slice(own.followed.indexOf(BY)) : '';
    return before === followedBy ? null : new HandlesChangedError(id, before.slice(BY.length));
  }
  const other = aptosSubjectId(chainId, !bareEvents);
  if (registered.some(({ subjectId }) => subjectId === other)) return new MixedSourcesError(id, other);
  if (isStated || LASTING.includes(chainId)) return null;
  const earlier = registered.find(({ subjectId }) => {
    const [, stored] = /^aptos:(\d+)(?:-events)?$/.exec(subjectId) ?? [];
    return stored !== undefined && !LASTING.includes(Number(stored));
  });
  return earlier === undefined ? null : new NetworkRestartedError(id, earlier.subjectId, chainId);
}
