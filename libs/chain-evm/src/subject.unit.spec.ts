import { evmSeqNo } from './seqNo';
import { describeSubject } from '@imart/testing';
import { createFakeChain, type FakeChain, type FakeLog } from './testing/fakeChain';
import { createSubjectKit, made, moved, placesOn, sale } from './testing/subjectKit';

/** Sales, a collection now and then, and what happens in it. */
function logsAt(position: number): FakeLog[] {
  if (position % 29 === 5) return [made(position), moved(position)];
  if (position % 9 === 0) return [sale, sale];
  return position % 4 === 0 ? [sale] : [];
}

function extend(chain: FakeChain, blocks: number): void {
  for (let i = 0; i < blocks; i++) chain.mine(logsAt(chain.head + 1));
}

describeSubject('a chain by its JSON-RPC', {
  seqNos: evmSeqNo,
  runs: 6,
  async open(positions) {
    const kit = createSubjectKit();
    const chain = createFakeChain();
    extend(chain, positions - 1);
    const node = await kit.node(chain, { finalityDepth: 6 });
    const nodeOf = async (other: FakeChain) => kit.subject([await kit.node(other)]);
    return {
      head: () => BigInt(chain.head),
      places: () => placesOn(chain).map((place) => place.replace(/ .*/, '')),
      grow: (blocks) => extend(chain, blocks),
      subject: ({ endPosition, batch, eventsAheadMax } = {}) =>
        kit.subject([node], {
          ...(endPosition === undefined ? {} : { endBlock: endPosition }),
          ...(batch === undefined ? {} : { ranges: { firstBlocks: batch, maxBlocks: batch } }),
          ...(eventsAheadMax === undefined ? {} : { eventsAheadMax, rangesInFlightMax: 2 }),
        }),
      lag(head) {
        if (head === null) delete node.rules.head;
        else node.rules.head = Number(head);
      },
      ofAnotherId: () => nodeOf(createFakeChain(3, 5)),
      startedAnew: () => nodeOf(createFakeChain(3, 1, { salt: 'another' })),
      close: () => kit.close(),
    };
  },
});
