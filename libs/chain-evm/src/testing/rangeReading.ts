import { expect } from '@jest/globals';
import { type AppendMessage, type ResumePoint, type SubjectMessage } from '@imart/core';
import { evmSeqNo } from '../seqNo';
import type { EvmSubject } from '../createEvmSubject';
import type { FollowedMarketplace } from '../follow';
import { createFakeChain, type FakeChain } from './fakeChain';
import { createSubjectKit, inTx, MARKET, marketplace, SALE, sale, type SubjectKit } from './subjectKit';

/** A market alone. */
export const ofMarket: FollowedMarketplace = {
  marketplace: marketplace('market', [SALE]),
  contracts: [MARKET],
};

export const fromStart: ResumePoint = {
  nextPosition: 0n,
  window: [],
  finalizedPosition: null,
  discovered: [],
};

/** A chain in which every third block has two sales, and some of the others have one. */
export function sparseChain(length: number): FakeChain {
  const chain = createFakeChain();
  while (chain.head < length)
    chain.mine(chain.head % 3 === 0 ? [sale, inTx(1)] : chain.head % 7 === 0 ? [sale] : []);
  return chain;
}

/** What a clean pass over such a chain gives: `5/0` for the first log of block 5. */
export const placesOf = (chain: FakeChain, to = chain.head): readonly string[] =>
  chain.blocks
    .slice(0, to + 1)
    .flatMap((block) => (block?.logs ?? []).map((_, i) => `${block?.number}/${i}`));

export const appends = (messages: readonly SubjectMessage[]): readonly AppendMessage[] =>
  messages.filter((m): m is AppendMessage => m.kind === 'append');
export const places = (messages: readonly SubjectMessage[]): readonly string[] =>
  appends(messages).flatMap(({ events }) => events.map(({ source }) => `${source.position}/${source.index}`));

/** That ranges follow each other, and that their blocks do. */
export function expectContiguous(messages: readonly SubjectMessage[], from = 0n): void {
  let next = from;
  for (const { fromPosition, toPosition, toSeqNo, blocks } of appends(messages)) {
    expect(fromPosition).toBe(next);
    expect(toSeqNo).toBe(evmSeqNo.last(toPosition));
    expect(blocks.at(-1)?.position).toBe(toPosition);
    next = toPosition + 1n;
  }
}

/** Subjects that follow a market alone, and messages as they come. */
export interface RangeKit extends SubjectKit {
  /** Everything up to the end, or up to the message that is waited for. What comes is executed at once. */
  take(
    subject: EvmSubject,
    resume?: ResumePoint,
    until?: (message: SubjectMessage) => boolean,
  ): Promise<SubjectMessage[]>;
}

export function createRangeKit(): RangeKit {
  const kit = createSubjectKit();
  return {
    ...kit,
    subject: (rpcs, options) =>
      kit.subject(rpcs, { marketplaces: [ofMarket], catchUpPollIntervalMs: 1e9, ...options }),
    async take(subject, resume = fromStart, until = () => false) {
      const messages: SubjectMessage[] = [];
      for await (const message of subject.messages(resume, kit.signal)) {
        messages.push(message);
        if (message.kind === 'append') subject.executed(message.toSeqNo);
        if (until(message)) break;
      }
      return messages;
    },
  };
}
