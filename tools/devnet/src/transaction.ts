import { MIXVERSE_URI, type Action, type Item } from './actions';
import { interfaceOf, type ContractName, type DevnetContracts } from './contracts';

export interface ActionTransaction {
  readonly to: string;
  readonly data: string;
  /** In wei. */
  readonly value: bigint;
  readonly gas: bigint;
}

const GAS = 1_000_000n;
const GAS_CREATE = 6_000_000n;

const EXHIBIT_METHODS = { reserved: 'cancel', frozen: 'freeze', redeemed: 'redeem' } as const;
const ANSWER_METHODS = {
  accepted: 'acceptOffer',
  rejected: 'rejectOffer',
  canceled: 'cancelOffer',
} as const;

/** The transaction of an action. `due`: what it has to pay, in wei, as the model knows it. */
export function transactionOf(action: Action, contracts: DevnetContracts, due: bigint): ActionTransaction {
  const call = (
    to: string,
    contract: ContractName,
    method: string,
    ...args: unknown[]
  ): ActionTransaction => ({
    to,
    data: interfaceOf(contract).encodeFunctionData(method, args),
    value: due,
    gas: action.kind === 'createCollection' ? GAS_CREATE : GAS,
  });
  const single = (method: string, ...args: unknown[]) =>
    call((action as { collection: string }).collection, 'SingleToken', method, ...args);
  const market = (method: string, ...args: unknown[]) =>
    call(contracts.market, 'IMartMarket', method, ...args);
  const mixverse = (method: string, ...args: unknown[]) =>
    call(contracts.mixverse, 'MixverseSpace', method, ...args);
  const curation = (method: string, ...args: unknown[]) =>
    call(contracts.curation, 'Curation', method, ...args);
  const lottery = (method: string, ...args: unknown[]) => call(contracts.lottery, 'Lottery', method, ...args);
  /** One item goes by the plain method, several by the batch method. */
  const items = (
    one: string,
    many: string,
    before: readonly string[],
    list: readonly Item[],
    after: readonly string[],
  ) => {
    const [only] = list;
    const plain = only !== undefined && list.length === 1;
    const amounts = plain
      ? [only.id, only.value]
      : [list.map(({ id }) => id), list.map(({ value }) => value)];
    const { collection } = action as { collection: string };
    return call(collection, 'MultipleToken', plain ? one : many, ...before, ...amounts, ...after);
  };
  switch (action.kind) {
    case 'mint721':
      return single('mint', action.to);
    case 'burn721':
      return single('burn', action.tokenId);
    case 'transfer721':
      return single('transferFrom', action.by, action.to, action.tokenId);
    case 'approve721':
      return single('approve', action.to, action.tokenId);
    case 'approveAll':
      return single('setApprovalForAll', action.operator, true);
    case 'mint1155':
      return items('mint', 'mintBatch', [action.to], action.items, []);
    case 'burn1155':
      return items('burn', 'burnBatch', [], action.items, []);
    case 'transfer1155':
      return items('safeTransferFrom', 'safeBatchTransferFrom', [action.by, action.to], action.items, ['0x']);
    case 'list':
      return market('list', action.collection, action.tokenId, action.price, action.expiresAt);
    case 'reprice':
      return market('reprice', action.orderId, action.price, action.expiresAt);
    case 'buy':
      return market('buy', action.orderId);
    case 'delist':
      return market('delist', action.orderId);
    case 'offer':
      return market('offer', action.collection, action.tokenId, action.expiresAt);
    case 'acceptOffer':
      return market('acceptOffer', action.offerId);
    case 'cancelOffer':
      return market('cancelOffer', action.offerId);
    case 'createCollection': {
      const { singleCollective, multipleCollective } = contracts;
      return action.standard === 'erc721'
        ? call(singleCollective, 'SingleCollective', 'create', action.terms)
        : call(multipleCollective, 'MultipleCollective', 'create', action.terms);
    }
    case 'mixList':
      return mixverse(
        'list',
        action.collection,
        action.tokenId,
        action.amount,
        action.pricePerToken,
        MIXVERSE_URI,
      );
    case 'mixPurchase':
      return mixverse('purchase', action.id, action.amount);
    case 'mixCancel':
      return mixverse('cancel', action.id);
    case 'openGallery':
      return curation('openGallery', action.terms, action.now);
    case 'changeGallery': {
      const { galleryId, name, payees, commissionRates, now } = action;
      return curation('changeGallery', galleryId, name, payees, commissionRates, now);
    }
    case 'exhibit':
      return curation('list', action.terms, action.now);
    case 'changeExhibit':
      return curation(EXHIBIT_METHODS[action.to], action.exhibitId, action.now);
    case 'buyExhibit':
      return curation('buy', action.exhibitId, action.now);
    case 'offerCuration':
      return curation('offer', action.terms, action.now);
    case 'answerCuration':
      return curation(ANSWER_METHODS[action.answer], action.offerId, action.now);
    case 'claimCommission':
      return call(contracts.commissionPool, 'CommissionPool', 'claim', action.galleryId);
    case 'createLottery':
      return lottery('create', action.collection, action.tokenIds, action.endBlock);
    case 'drawLottery':
      return lottery('draw', action.lotteryId, action.merkleRoot);
    case 'claimPrize':
      return lottery('claim', action.lotteryId, action.tokenId);
    case 'withdrawPrizes':
      return lottery('withdraw', action.lotteryId);
  }
}
