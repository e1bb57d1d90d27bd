import { createFakeChain, type FakeChain } from '../../libs/chain-evm/src/testing/fakeChain';
import { createMessageStore } from '../../libs/chain-evm/src/testing/messageStore';
import {
  createSubjectKit,
  placesOn,
  sale,
  type SubjectKit,
} from '../../libs/chain-evm/src/testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

function busyChain(length: number): FakeChain {
  const chain = createFakeChain();
  while (chain.head < length) chain.mine([sale]);
  return chain;
}

describe('an answer', () => {
  it('that was empty, or of a block that was taken back, is not given again: the node is asked anew (P16)', async () => {
    const chain = busyChain(20);
    const rpc = await kit.node(chain, { withheld: [20] });
    const store = createMessageStore();
    const subject = kit.subject([rpc]);
    let steps = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      steps++;
      // First nobody serves the last block; then the chain takes back what was read, and what was not.
      if (steps === 2) rpc.rules.withheld = [];
      if (steps === 4)
        chain.reorg(
          6,
          Array.from({ length: 8 }, () => [{ logs: [sale] }]),
        );
      return steps > 6 && store.next > BigInt(chain.head);
    });
    expect(store.invalidations).toHaveLength(1);
    expect(store.places).toEqual(placesOn(chain));
  });
});

describe('a range', () => {
  it('of a fixed size is not insisted on: what the node refuses is asked for in parts (O9, P9)', async () => {
    const chain = busyChain(120);
    const rpc = await kit.node(chain, { logsMax: 7 });
    const store = createMessageStore();
    await kit.atRest(
      kit.subject([rpc], { ranges: { firstBlocks: 49_999, maxBlocks: 49_999 } }),
      store,
      chain,
      [],
    );
    expect(store.places).toEqual(placesOn(chain));
    expect(store.places.length).toBeGreaterThan(100);
  });
});
