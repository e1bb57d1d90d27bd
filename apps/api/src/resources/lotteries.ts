import {
  findLottery,
  findPrize,
  listLotteries,
  listPrizes,
  type LotteryFilter,
  type LotteryKey,
  type PrizeFilter,
  type PrizeKey,
  type ReadDatabase,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { amount, count, maybeAmount, maybeText, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields } from './curatedFields';
import { registerNamed } from './registerNamed';

const drawnFields = {
  subject: text('CAIP-2 id of the chain.'),
  contract: text('Contract of the lottery.'),
  lotteryId: text('Id within the contract, decimal.'),
  market: text('Name of the marketplace.'),
  organizer: maybeText('Who set the prizes out; null when the opening was not seen and no claim tells it.'),
  collection: maybeText('Contract of the prizes; null when the opening was not seen.'),
};

const lotterySchema = record({
  ...drawnFields,
  status: text(
    '`open`; `drawn`: who may claim is published; `withdrawn`: what nobody had claimed went back to the organizer.',
  ),
  endBlock: maybeText('Number of its last block, decimal; null when the opening was not seen.'),
  merkleRoot: maybeText('Root of the tree of who may claim what, hex; null before it is published.'),
  prizeCount: count('Prizes that were set out.'),
  claimedCount: count('Prizes that were claimed.'),
  ...changedFields,
});

const prizeSchema = record({
  ...drawnFields,
  tokenId: text('Decimal.'),
  quantity: maybeAmount('How many of the token can be won; null when the opening was not seen.'),
  claimedQuantity: amount('How many were claimed.'),
  claimer: maybeText('Who claimed it last; null: nobody yet.'),
  state: text('`claimed`: all of it; `withdrawn`: the rest went back to the organizer; else `open`.'),
  ...changedFields,
});

const filter = {
  market: p.word('Name of the marketplace.'),
  contract: p.address('Contract of the lottery.'),
  organizer: p.address('Who set the prizes out.'),
  collection: p.address('Contract of the prizes.'),
};
const name = {
  contract: p.address('Contract of the lottery.'),
  lotteryId: p.number('Id of the lottery within the contract, decimal.'),
};

/** Lotteries and their prizes. */
export function registerLotteries(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<LotteryFilter, LotteryKey>(app, db, {
    path: '/v1/lotteries',
    tag: 'lotteries',
    summary: 'Lotteries',
    one: 'lottery',
    item: lotterySchema,
    filter: { ...filter, status: p.oneOf(['open', 'drawn', 'withdrawn'], 'What its own events said last.') },
    name,
    list: listLotteries,
    find: findLottery,
  });
  registerNamed<PrizeFilter, PrizeKey>(app, db, {
    path: '/v1/prizes',
    tag: 'lotteries',
    summary: 'Tokens to be won in lotteries',
    one: 'prize',
    item: prizeSchema,
    filter: {
      ...filter,
      lotteryId: p.number('Id of the lottery within its contract, decimal.'),
      tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
      claimer: p.address('Who claimed it last.'),
      state: p.oneOf(['open', 'claimed', 'withdrawn'], 'What it is now.'),
    },
    name: { ...name, tokenId: p.tokenId },
    list: listPrizes,
    find: findPrize,
  });
}
