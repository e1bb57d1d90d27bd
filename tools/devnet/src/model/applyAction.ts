import type { Action } from '../actions';
import { createCollection } from './collection';
import {
  answerCuration,
  buyExhibit,
  changeExhibit,
  changeGallery,
  claimCommission,
  exhibit,
  offerCuration,
  openGallery,
} from './curation';
import { burn1155, mint1155, transfer1155 } from './erc1155';
import { approve721, approveAll, burn721, mint721, transfer721 } from './erc721';
import { claimPrize, createLottery, drawLottery, withdrawPrizes } from './lottery';
import { acceptOffer, buy, cancelOffer, delist, list, offer, reprice } from './market';
import { mixCancel, mixList, mixPurchase, pricePerToken } from './mixverse';
import type { ModelState, PredictedLog } from './state';

/** What an action has to pay, in wei. Asked before the action is applied. */
export function dueOf(state: ModelState, action: Action): bigint {
  switch (action.kind) {
    case 'buy':
      return state.orders[Number(action.orderId) - 1]?.price ?? 0n;
    case 'offer':
      return action.price;
    case 'mixPurchase': {
      const item = state.items[Number(action.id) - 1];
      return item === undefined ? 0n : pricePerToken(item) * action.amount;
    }
    case 'buyExhibit':
      return state.exhibits[Number(action.exhibitId) - 1]?.terms.price ?? 0n;
    default:
      return 0n;
  }
}

/**
 * Changes the state as the contracts will, and says which logs they will give, in their order.
 * @throws {Error} when the contracts would refuse it; expiry is the caller's to mind.
 */
export function applyAction(state: ModelState, action: Action): PredictedLog[] {
  switch (action.kind) {
    case 'mint721':
      return mint721(state, action);
    case 'burn721':
      return burn721(state, action);
    case 'transfer721':
      return transfer721(state, action);
    case 'approve721':
      return approve721(state, action);
    case 'approveAll':
      return approveAll(state, action);
    case 'mint1155':
      return mint1155(state, action);
    case 'burn1155':
      return burn1155(state, action);
    case 'transfer1155':
      return transfer1155(state, action);
    case 'list':
      return list(state, action);
    case 'reprice':
      return reprice(state, action);
    case 'buy':
      return buy(state, action);
    case 'delist':
      return delist(state, action);
    case 'offer':
      return offer(state, action);
    case 'acceptOffer':
      return acceptOffer(state, action);
    case 'cancelOffer':
      return cancelOffer(state, action);
    case 'createCollection':
      return createCollection(state, action);
    case 'mixList':
      return mixList(state, action);
    case 'mixPurchase':
      return mixPurchase(state, action);
    case 'mixCancel':
      return mixCancel(state, action);
    case 'openGallery':
      return openGallery(state, action);
    case 'changeGallery':
      return changeGallery(state, action);
    case 'exhibit':
      return exhibit(state, action);
    case 'changeExhibit':
      return changeExhibit(state, action);
    case 'buyExhibit':
      return buyExhibit(state, action);
    case 'offerCuration':
      return offerCuration(state, action);
    case 'answerCuration':
      return answerCuration(state, action);
    case 'claimCommission':
      return claimCommission(state, action);
    case 'createLottery':
      return createLottery(state, action);
    case 'drawLottery':
      return drawLottery(state, action);
    case 'claimPrize':
      return claimPrize(state, action);
    case 'withdrawPrizes':
      return withdrawPrizes(state, action);
  }
}
