import { evmSeqNo } from '@imart/chain-evm';
import { fakeBlock } from '../../libs/testing/src/fakeSubject';
import { MARKET } from '../../libs/testing/src/marketEvents';
import { describeSubject } from '../../libs/testing/src/subject.features';
import { createRandom } from '../devnet/src/random';
import type { ChainState, ScriptedBlock } from './chainScript';
import { createSimulatedSubject } from './simulatedSubject';

const FINALITY_DEPTH = 6;

/** Every third block has a transaction, every sixth one of two logs. */
function blockAt(position: number): ScriptedBlock {
  const draft = {
    aggregateType: 'order',
    aggregateId: `${position}`,
    name: 'OrderListed',
    data: {},
    address: MARKET,
  };
  const drafts = position % 6 === 0 ? [draft, draft] : [draft];
  const transactions = position % 3 === 0 ? [{ hash: `0x${position}`, drafts }] : [];
  return { ...fakeBlock(BigInt(position)), transactions };
}

/** The chain that simulations run on is to be as good a subject as those that they stand for. */
describeSubject('a simulated chain', {
  seqNos: evmSeqNo,
  runs: 30,
  isReal: false,
  open(positions) {
    const blocks = Array.from({ length: positions }, (_, i) => blockAt(i));
    const random = createRandom(1);
    let behind: bigint | null = null;
    const stateTo = (head: bigint): ChainState => {
      const final = head - BigInt(FINALITY_DEPTH);
      return { blocks: blocks.slice(0, Number(head) + 1), finalized: final < 0n ? null : final };
    };
    const head = (): bigint => BigInt(blocks.length - 1);
    return Promise.resolve({
      head,
      places: () =>
        blocks.flatMap(({ position, transactions }) =>
          transactions.flatMap(({ drafts }) => drafts.map((_, index) => `${position}/${index}`)),
        ),
      grow(more) {
        for (let i = 0; i < more; i++) blocks.push(blockAt(blocks.length));
      },
      subject: ({ endPosition, batch = 10 } = {}) =>
        createSimulatedSubject({
          chain: {
            look: () => stateTo(endPosition ?? behind ?? head()),
            final: stateTo(head()),
            ended: endPosition !== undefined,
            omits: () => false,
          },
          random,
          rangeBlocksMax: batch,
          asked: () => Promise.resolve(),
        }),
      lag: (to) => void (behind = to),
      ofAnotherId: () => Promise.reject(new Error('there is no other network')),
      startedAnew: () => Promise.reject(new Error('there is no other network')),
      close: () => Promise.resolve(),
    });
  },
});
