import { createMessageStore, type MessageStore } from '@imart/testing';
import { aptosSeqNo } from '../seqNo';

export type LedgerStore = MessageStore;

/** What a ledger's messages make of an empty log: a ledger takes nothing back. */
export const createLedgerStore = (startVersion = 0n): LedgerStore =>
  createMessageStore(aptosSeqNo, startVersion, false);
