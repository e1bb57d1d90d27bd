import fc from 'fast-check';
import { fromJsonText, toJsonText, type Action } from './actions';
import { chooseActions } from './chooseAction';
import { contractsOf } from './contracts';
import { applyAction } from './model/applyAction';
import { expectedTables } from './model/expectedTables';
import { createModelState } from './model/state';
import { createRandom } from './random';

const DEPLOYER = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const accounts = Array.from({ length: 24 }, (_, i) => `0x${String(i + 1).padStart(40, '0')}`);

function run(seed: number, count: number) {
  const state = createModelState(contractsOf(DEPLOYER));
  const random = createRandom(seed);
  const actions: Action[] = [];
  while (actions.length < count) {
    const now = 1_700_000_000n + BigInt(actions.length) * 3n;
    for (const action of chooseActions({ state, random, accounts, now }, actions.length)) {
      applyAction(state, action);
      actions.push(action);
    }
  }
  return { state, actions };
}

describe('chooseActions', () => {
  it('never chooses what the contracts would refuse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => void run(seed, 1_500)),
      { numRuns: 20 },
    );
  });

  it('chooses the same actions for the same seed, others for another', () => {
    expect(run(7, 400).actions).toEqual(run(7, 400).actions);
    expect(run(8, 400).actions).not.toEqual(run(7, 400).actions);
  });

  it('chooses every kind of action, and batches with repeated ids, within a thousand actions', () => {
    const { actions, state } = run(1, 1_000);
    expect([...new Set(actions.map(({ kind }) => kind))].sort()).toEqual([
      'acceptOffer',
      'answerCuration',
      'approve721',
      'approveAll',
      'burn1155',
      'burn721',
      'buy',
      'buyExhibit',
      'cancelOffer',
      'changeExhibit',
      'changeGallery',
      'claimCommission',
      'claimPrize',
      'createCollection',
      'createLottery',
      'delist',
      'drawLottery',
      'exhibit',
      'list',
      'mint1155',
      'mint721',
      'mixCancel',
      'mixList',
      'mixPurchase',
      'offer',
      'offerCuration',
      'openGallery',
      'reprice',
      'transfer1155',
      'transfer721',
      'withdrawPrizes',
    ]);
    const repeats = actions.filter(
      (action) => 'items' in action && new Set(action.items.map(({ id }) => id)).size < action.items.length,
    );
    expect(new Set(repeats.map(({ kind }) => kind))).toEqual(
      new Set(['mint1155', 'burn1155', 'transfer1155']),
    );
    const { orders, offers, tokens, exhibits, curationOffers, lotteries, prizes, commissions } =
      expectedTables(state);
    expect(new Set(exhibits.map(({ status }) => status))).toEqual(
      new Set(['listing', 'reserved', 'sold', 'frozen', 'redeemed']),
    );
    expect(new Set(curationOffers.map(({ status }) => status))).toEqual(
      new Set(['pending', 'accepted', 'rejected', 'canceled']),
    );
    expect(new Set(lotteries.map(({ status }) => status))).toEqual(new Set(['open', 'drawn', 'withdrawn']));
    expect(new Set(prizes.map(({ claimer }) => claimer === null))).toEqual(new Set([true, false]));
    expect(new Set(commissions.map(({ claimable }) => claimable === '0'))).toEqual(new Set([true, false]));
    expect(new Set(orders.map(({ status }) => status))).toEqual(new Set(['LISTING', 'SOLD', 'CANCELED']));
    expect(new Set(offers.map(({ status }) => status))).toEqual(new Set(['CREATED', 'ACCEPTED', 'CANCELED']));
    expect(
      orders.some(
        ({ quantity, filled, status }) => status !== 'SOLD' && filled !== '0' && filled !== quantity,
      ),
    ).toBe(true);
    expect(tokens.some(({ owner }) => owner === null)).toBe(true);
  });

  it('gives actions that survive being written down', () => {
    const { actions } = run(3, 500);
    expect(fromJsonText(toJsonText(actions))).toEqual(actions);
  });
});
