import {
  type BlockRef,
  type FinalizeMessage,
  type InvalidateMessage,
  type ResumePoint,
  type Subject,
  type SubjectMessage,
} from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { SUBJECT } from '../../libs/testing/src/marketEvents';
import type { Random } from '../devnet/src/random';
import {
  readBlocks,
  type ChainScript,
  type ChainState,
  type Omission,
  type ScriptedBlock,
} from './chainScript';
import { turns } from './virtualTime';

/** The nodes of the chain: what they tell changes as they are asked, whoever asks. */
export interface SimulatedChain {
  /** What the nodes have now. Each look may find the chain further in its script. */
  look(): ChainState;
  /** What they have at the end. */
  readonly final: ChainState;
  readonly ended: boolean;
  /** What they leave out of answers to ranges. */
  readonly omits: Omission;
}

export function createSimulatedChain(random: Random, script: ChainScript): SimulatedChain {
  const { states } = script;
  // A part of the chain is there before anybody reads: that is what is caught up with.
  let at = random.below(Math.ceil(states.length / 2));
  let before = states[at] as ChainState;
  return {
    look() {
      const state = states[at] as ChainState;
      if (at < states.length - 1 && random.chance(0.45)) at++;
      before = state;
      return before;
    },
    final: states.at(-1) as ChainState,
    omits: script.omits,
    get ended() {
      return at === states.length - 1;
    },
  };
}

export interface SimulatedSubjectOptions {
  readonly chain: SimulatedChain;
  readonly random: Random;
  /** Most blocks of one message. */
  readonly rangeBlocksMax: number;
  /** Called before the subject asks its nodes, and after. */
  readonly asked: (what: string) => Promise<void>;
}

export const toRef = ({ position, hash, parentHash, timeUs }: ScriptedBlock): BlockRef => ({
  position,
  hash,
  parentHash,
  timeUs,
});

/** Far enough below the head for catching up. */
const CATCH_UP_DISTANCE = 3n;

/** Reads the chain as a subject does: from the resume point on, complete ranges, forks by the hashes of remembered blocks. */
export function createSimulatedSubject(options: SimulatedSubjectOptions): Subject {
  const { chain, random, rangeBlocksMax, asked } = options;

  async function* messages(
    resume: ResumePoint,
    signal: AbortSignal,
  ): AsyncGenerator<SubjectMessage, void, undefined> {
    let window = [...resume.window];
    let next = resume.nextPosition;
    let finalized = resume.finalizedPosition;
    let followed = resume.discovered;

    while (!signal.aborted) {
      await asked('subject.poll');
      const ended = chain.ended;
      const { blocks, finalized: final } = chain.look();
      const head = BigInt(blocks.length - 1);
      yield { kind: 'heartbeat', head: toRef(blocks[Number(head)] as ScriptedBlock) };

      const tip = window.at(-1);
      // A node whose chain is only shorter tells nothing of the blocks above it.
      const shared = tip !== undefined && tip.position > head ? window.find((b) => b.position === head) : tip;
      if (shared !== undefined && blocks[Number(shared.position)]?.hash !== shared.hash) {
        const ancestor = window.findLast((b) => blocks[Number(b.position)]?.hash === b.hash);
        if (ancestor === undefined) throw new Error('the script forks below the remembered blocks');
        const fromSeqNo = evmSeqNo.first(ancestor.position + 1n);
        const invalidate: InvalidateMessage = { kind: 'invalidate', fromSeqNo, ancestor };
        window = window.filter((b) => b.position <= ancestor.position);
        followed = followed.filter((one) => one.discoveredAt < fromSeqNo);
        next = ancestor.position + 1n;
        await asked('subject.fork');
        yield invalidate;
        continue;
      }
      if (next <= head) {
        // The newest final block ends a range: it is remembered, and the parent check crosses the border (R1).
        const limit = final !== null && next <= final ? final : head;
        const size = BigInt(1 + random.below(rangeBlocksMax));
        const to = next + size - 1n < limit ? next + size - 1n : limit;
        const range = blocks.slice(Number(next), Number(to) + 1);
        const read = readBlocks(range, followed, chain.omits);
        const known = new Set(followed.map(({ address }) => address));
        const discovered = read.discovered.filter(({ address }) => !known.has(address));
        followed = [...followed, ...discovered];
        const remembered = range
          .filter((b) => b.position === to || final === null || b.position > final)
          .map(toRef);
        window = [...window, ...remembered];
        const from = next;
        next = to + 1n;
        await asked('subject.range');
        yield {
          kind: 'append',
          fromPosition: from,
          toPosition: to,
          toSeqNo: evmSeqNo.last(to),
          events: read.events,
          blocks: remembered,
          discovered,
          catchingUp: head - to > CATCH_UP_DISTANCE,
          sourceRecords: read.sourceRecords,
        };
      }
      const reached = final === null ? null : final < next - 1n ? final : next - 1n;
      if (reached !== null && reached >= 0n && (finalized === null || reached > finalized)) {
        finalized = reached;
        window = window.filter((b) => b.position >= reached || b.position === next - 1n);
        const finalize: FinalizeMessage = {
          kind: 'finalize',
          position: reached,
          upToSeqNo: evmSeqNo.last(reached),
        };
        await asked('subject.finality');
        yield finalize;
      }
      if (ended && next > head) {
        yield { kind: 'end', atPosition: next - 1n };
        return;
      }
      await turns(1);
    }
  }

  return {
    id: SUBJECT,
    identify: () => Promise.resolve({ subjectId: SUBJECT, genesisHash: '0x00' }),
    messages,
    executed: () => undefined,
  };
}
