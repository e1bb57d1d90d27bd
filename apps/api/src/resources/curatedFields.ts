import { maybeText, text, time } from '../fields';
import { parameters as p } from '../parameters';

/** What galleries, exhibits and curation offers have in common. */
export const curatedFields = {
  subject: text('CAIP-2 id of the chain.'),
  contract: text('Contract of the curation.'),
  market: text('Name of the marketplace.'),
  collection: maybeText('Contract of the token; null when there is none, or none is known.'),
  tokenId: maybeText('Decimal; null as the collection.'),
  standard: maybeText('Of the token; null where the contract does not tell it.'),
};

export const changedFields = {
  createdAt: time('Chain time of the first event about it.'),
  updatedAt: time('Chain time of the event that changed it last.'),
  seqNo: text('SeqNo of the event that changed it last.'),
};

export const galleryIdField = maybeText('Id of the gallery within the contract, decimal.');

/** Filters that lists of all three have. */
export const curatedFilter = {
  market: p.word('Name of the marketplace.'),
  contract: p.address('Contract of the curation.'),
  collection: p.address('Contract of the token.'),
  tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
};

/** What names one of them. */
export const curatedName = (id: string, description: string) => ({
  contract: p.address('Contract of the curation.'),
  [id]: p.number(description),
});
