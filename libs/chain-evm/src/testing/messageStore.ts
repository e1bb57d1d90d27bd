import { evmSeqNo } from '../seqNo';
import { createMessageStore as createStore, type MessageStore } from '@imart/testing';

export type { MessageStore };

/** What an EVM subject's messages make of an empty log. */
export const createMessageStore = (startPosition = 0n): MessageStore => createStore(evmSeqNo, startPosition);
