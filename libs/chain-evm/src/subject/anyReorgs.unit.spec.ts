import { seededRandom } from '@imart/testing';
import { createFakeChain, type Branch, type FakeChain, type FakeLog } from '../testing/fakeChain';
import { unlucky } from '../testing/fakeRules';
import type { FakeRpc } from '../testing/fakeRpc';
import { createMessageStore } from '../testing/messageStore';
import {
  createSubjectKit,
  isRead,
  made,
  moved,
  placesOn,
  sale,
  type SubjectKit,
} from '../testing/subjectKit';

/*
 * Histories at random: blocks, reorgs of any depth above finality, heights without a block, returns to older branches, endpoints
 * that lag and fail, and restarts anywhere. What is left must be what one clean pass over the final chain gives.
 */

const HISTORIES = 24;
const given = process.env['IMART_SEED'];
const SEED = given === undefined || given === '' ? Math.floor(Math.random() * 2 ** 31) : Number(given);

/** How far above the final block reorgs may reach. */
const OPEN_BLOCKS = 12;

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit(200)));
afterEach(() => kit.close());

function someLogs(random: () => number): FakeLog[] {
  const logs: FakeLog[] = [];
  for (let tx = 0; random() < 0.6 && tx < 5; tx++) {
    const n = Math.floor(random() * 4);
    const kind = random();
    logs.push({ ...(kind < 0.5 ? sale : kind < 0.65 ? made(n) : moved(n)), tx });
  }
  return logs;
}

interface Story {
  readonly chain: FakeChain;
  /** One thing that happens. */
  step(): void;
  readonly finalized: number;
}

function createStory(random: () => number): Story {
  const chain = createFakeChain(1 + Math.floor(random() * 40));
  const kept: Branch[] = [];
  let finalized = 0;
  const mine = (): void => {
    if (random() < 0.1 && chain.blocks.at(-1) !== null) chain.skipHeight();
    chain.mine(someLogs(random));
  };
  const advance = (): void => {
    let final = Math.max(finalized, chain.head - OPEN_BLOCKS);
    while (chain.blocks[final] === null) final--;
    finalized = Math.max(finalized, final);
  };
  return {
    chain,
    get finalized() {
      return finalized;
    },
    step() {
      const what = random();
      const depthMax = chain.head - finalized;
      if (what < 0.55 || depthMax < 1) for (let i = Math.floor(random() * 3); i >= 0; i--) mine();
      else if (what < 0.85) {
        kept.push(chain.canonical());
        chain.takeBack(1 + Math.floor(random() * depthMax));
        // Shorter, as long, longer, or without events.
        const blocks = Math.floor(random() * (OPEN_BLOCKS + 2));
        const empty = random() < 0.2;
        for (let i = 0; i < blocks; i++) {
          if (empty) chain.mine();
          else mine();
        }
        if (blocks === 0 && chain.blocks.at(-1) === null) mine();
      } else if (what < 0.9) {
        const back = kept[Math.floor(random() * kept.length)];
        const isPossible = back?.[finalized]?.hash === chain.blocks[finalized]?.hash;
        if (back !== undefined && back.length > finalized && isPossible) chain.switchTo(back);
      } else advance();
    },
  };
}

let reorgs = 0;

describe(`reorgs at random (IMART_SEED=${SEED})`, () => {
  it.each(Array.from({ length: HISTORIES }, (_, i) => SEED + i))(
    'leave what one clean pass over the final chain gives (seed %i)',
    async (seed) => {
      const random = seededRandom(seed).next;
      const story = createStory(random);
      const { chain } = story;
      const rpcs: FakeRpc[] = [];
      for (let i = 1 + Math.floor(random() * 3); i > 0; i--)
        rpcs.push(await kit.node(chain, { chance: unlucky(random, 0.1) }));
      const finalize = (): void => {
        for (const { rules } of rpcs) rules.finalized = story.finalized;
      };
      finalize();
      const options = { unfinalizedRangeBlocksMax: 1 + Math.floor(random() * 10) };
      let subject = kit.subject(rpcs, options);
      const store = createMessageStore();
      let steps = 40 + Math.floor(random() * 40);
      while (steps > 0) {
        await kit.read(subject, store, () => {
          if (random() < 0.5) {
            story.step();
            steps--;
            finalize();
          }
          if (random() < 0.1) for (const { rules } of rpcs) rules.lag = Math.floor(random() * 4);
          return steps === 0 || random() < 0.03;
        });
        // A new process: it knows only what is stored.
        if (random() < 0.5) subject = kit.subject(rpcs, options);
      }
      for (const { rules } of rpcs) {
        rules.lag = 0;
        delete rules.chance;
      }
      chain.mine([sale]);
      await kit.read(kit.subject(rpcs, options), store, () => isRead(chain, store));
      expect(store.places).toEqual(placesOn(chain));
      reorgs += store.invalidations.length;
    },
  );

  it('were many', () => expect(reorgs).toBeGreaterThan(3 * HISTORIES));
});
