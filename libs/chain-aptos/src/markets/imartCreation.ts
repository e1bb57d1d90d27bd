import { AGGREGATE, tokenAggregateId } from '@imart/market';
import { AptosDecodeError } from '../errors';
import type { EmitAptosMarketEvent } from '../market';
import type { AptosEvent, AptosRecord } from '../transaction';
import type { AptosMarketplace } from './marketplace';
import { addressAt, listAt, quantityAt, textAt, toAddress, toQuantity, toText } from './paths';
import { translateByType } from './translateByType';
import { namesOfTokenId, v1CollectionId, v1Token } from './tokenIds';

function royaltiesIn(data: AptosRecord): { payee: string; rate: bigint }[] {
  const payees = listAt(data, 'payees');
  const rates = listAt(data, 'royalties');
  if (payees.length !== rates.length) {
    throw new AptosDecodeError(`it has ${payees.length} payees and ${rates.length} royalties`, 'royalties');
  }
  return payees.map((payee, i) => ({
    payee: toAddress(payee, `payees.${i}`),
    rate: toQuantity(rates[i], `royalties.${i}`),
  }));
}

function translateCollection({ data }: AptosEvent, emit: EmitAptosMarketEvent): void {
  const creator = addressAt(data, 'creator');
  const name = textAt(data, 'name');
  const maximum = quantityAt(data, 'maximum');
  emit(AGGREGATE.collection, v1CollectionId(creator, name), 'CollectionCreated', {
    standard: 'aptos-v1',
    creator,
    name,
    category: textAt(data, 'category'),
    tags: listAt(data, 'tags').map((tag, i) => toText(tag, `tags.${i}`)),
    description: textAt(data, 'description'),
    uri: textAt(data, 'uri'),
    royalties: royaltiesIn(data),
    // The token standard writes "no limit" as 0.
    maximum: maximum === 0n ? null : maximum,
    nameBytes: null,
  });
}

/** Whose it is, the framework's own events tell. */
function translateToken({ data }: AptosEvent, emit: EmitAptosMarketEvent): void {
  const names = namesOfTokenId(data, 'token_id');
  const token = v1Token(names);
  emit(
    AGGREGATE.tokenDetails,
    tokenAggregateId(token.collection as string, token.tokenId),
    'TokenDescribed',
    {
      standard: 'aptos-v1',
      creator: names.creator,
      collectionName: names.collection,
      name: names.name,
      edition: names.version,
      description: textAt(data, 'description'),
      uri: textAt(data, 'uri'),
    },
  );
}

/** Collections and tokens that were made with IMart's tools. */
export const imartCreation: AptosMarketplace = {
  name: 'imart-creation',
  packageOn: () => null,
  at: (packageAddress) =>
    translateByType(
      'imart-creation',
      packageAddress,
      {
        'creation::CollectionCreatedEvent': translateCollection,
        'creation::TokenCreatedEvent': translateToken,
      },
      {
        'creation::CreationEvents/collection_created_events': 'creation::CollectionCreatedEvent',
        'creation::CreationEvents/token_created_events': 'creation::TokenCreatedEvent',
      },
    ),
};
