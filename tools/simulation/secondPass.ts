import { evmSeqNo } from '@imart/chain-evm';
import { marketEventCodec } from '@imart/market';
import { auditRange, mendRange, type BlockReading, type RangeSource } from '@imart/pipeline';
import { silentLogger } from '../../libs/testing/src/silentLogger';
import { SUBJECT } from '../../libs/testing/src/marketEvents';
import { readBlocks, type ScriptedBlock } from './chainScript';
import type { MortalProcess } from './mortalProcess';
import { toRef, type SimulatedChain } from './simulatedSubject';
import { turns } from './virtualTime';
import { createProcessPorts, type ProcessNews, type World } from './world';

/** The same nodes, asked thoroughly: blocks by all their receipts. */
function createRangeSource(chain: SimulatedChain, process: MortalProcess): RangeSource {
  const asked = async (what: string): Promise<readonly ScriptedBlock[]> => {
    await process.point(what, 'before');
    const { blocks } = chain.look();
    await process.point(what, 'after');
    return blocks;
  };
  return {
    id: SUBJECT,
    positionsPerRange: 10,
    rateLimited: 0,
    async readRange({ fromPosition, toPosition, known }) {
      const blocks = (await asked('subject.rangeAgain')).slice(Number(fromPosition), Number(toPosition) + 1);
      const { events, discovered } = readBlocks(blocks, known);
      return {
        fromPosition,
        toPosition,
        events,
        discovered,
        blocks: blocks.map(toRef),
        wholeBlocks: blocks.length,
        follows: () => true,
      };
    },
    async readBlocks(positions, known) {
      const blocks = await asked('subject.blocks');
      return positions.map((position): BlockReading => {
        const block = blocks[Number(position)];
        const { events, discovered } = readBlocks(block === undefined ? [] : [block], known);
        return {
          position,
          block: block === undefined ? null : toRef(block),
          events,
          discovered,
          isForeign: () => false,
        };
      });
    },
  };
}

/** Most positions of one audit. */
const RANGE_MAX = 12n;

/**
 * Reads ranges again and mends the log, for as long as it lives; at the end of the chain, from its first position to its last one
 * until nothing is missing any more: then it tells of its end.
 */
export function startSecondPass(
  world: World,
  name: string,
  onNews: (news: ProcessNews, worker: MortalProcess) => void,
): MortalProcess {
  const { random, observer, chain } = world;
  const { process, store } = createProcessPorts(world, name, () => onNews({ kind: 'died' }, process));
  const source = createRangeSource(chain, process);
  const changes = { store, observer, logger: silentLogger };
  const audit = async (fromPosition: bigint, toPosition: bigint): Promise<boolean> => {
    const found = await auditRange(
      { store, passes: store, source, codec: marketEventCodec, seqNos: evmSeqNo },
      { fromPosition, toPosition, depth: 'thorough' },
      process.signal,
    );
    if (found.kind === 'other-branch' || found.unconfirmed.length > 0) return false;
    if (found.change === null) return true;
    await mendRange({ changes, seqNos: evmSeqNo, along: () => Promise.resolve() }, found);
    return false;
  };
  const step = async (): Promise<void> => {
    const { nextPosition } = await store.progress();
    if (nextPosition === 0n) return;
    const last = nextPosition - 1n;
    if (last < BigInt(chain.final.blocks.length - 1) || !chain.ended) {
      const from = BigInt(random.below(Number(nextPosition)));
      await audit(from, from + RANGE_MAX - 1n < last ? from + RANGE_MAX - 1n : last);
    } else if (await audit(0n, last)) {
      onNews({ kind: 'end' }, process);
    }
  };
  const run = async (): Promise<void> => {
    while (!process.dead) {
      await turns(10 + random.below(80));
      // What fails is tried again with the next step: the pass has nothing to lose.
      await step().catch((error: unknown) => {
        const { disposition } = error as { disposition?: unknown };
        if (disposition !== 'retry') throw error;
      });
    }
  };
  run().catch((error: unknown) => !process.dead && onNews({ kind: 'stopped', error }, process));
  return process;
}
