import type { ScriptedEvent } from './scriptedEvents';

/** What the scenes need of the script that they are part of. */
export interface Stage {
  /** A number below this one, from the script's seed. */
  readonly random: (below: number) => number;
  /** Somebody of the script. */
  readonly anybody: () => string;
  /** One of the script's tokens. */
  readonly anyToken: () => { readonly key: string; readonly id: object };
  /** Now, in microseconds. */
  readonly timestamp: () => string;
  readonly coin: object;
  /** Adds a transaction. @returns its version; `null` when it failed, and nothing of it happened. */
  readonly send: (sender: string, events: readonly ScriptedEvent[]) => bigint | null;
}

export interface ScriptedOffer {
  readonly bidder: string;
  /** The version that made it. */
  readonly version: bigint;
  readonly quantity: number;
  readonly filled: number;
  readonly status: 'CREATED' | 'ACCEPTED' | 'CANCELED';
}

/** What whoever read all of the scenes must find. */
export interface ScriptedScenes {
  /** By version. */
  readonly offers: readonly ScriptedOffer[];
  /** Names, in the order in which they were made. */
  readonly collections: readonly string[];
  readonly tokens: readonly string[];
  /** The last name of each, by id from 1. */
  readonly galleries: readonly string[];
  /** The last status of each, by id from 1. */
  readonly curationOffers: readonly string[];
  readonly exhibits: readonly string[];
  /** Tokens given for offers, and exhibits sold. */
  readonly sales: number;
}

/** What may follow on each state, and the word that the contract has for it. */
const AFTER_OFFER = [
  ['OfferAccepted', 'accepted'],
  ['OfferRejected', 'rejected'],
  ['OfferCanceled', 'canceled'],
] as const;
const AFTER_LISTED = [
  ['ExhibitSold', 'sold'],
  ['ExhibitFrozen', 'frozen'],
] as const;
/** Galleries there are at most: after that, those there are change. */
const GALLERIES_MAX = 6;

/** Offers, creation and curation at IMart's modules. */
export function createScenes(stage: Stage): { readonly act: () => void; readonly scenes: ScriptedScenes } {
  const { random, anybody, anyToken, send, timestamp } = stage;
  const offers: (ScriptedOffer & { readonly token: object; readonly pair: string })[] = [];
  const collections: { readonly creator: string; readonly name: string }[] = [];
  const tokens: string[] = [];
  const galleries: { owner: string; name: string; token: object }[] = [];
  const proposals: { data: object; status: string }[] = [];
  const exhibits: { data: { origin: string }; status: string }[] = [];
  let [eventId, sales] = [0, 0];
  const seconds = (): string => String(BigInt(timestamp()) / 1_000_000n);

  const bid = (): void => {
    const { key, id } = anyToken();
    const bidder = anybody();
    const quantity = 1 + random(3);
    const data = {
      ...{ coin_owner: bidder, coin_amount_per_token: '700', coin_type_info: stage.coin, token_id: id },
      ...{ event_id: String(++eventId), token_amount: String(quantity), timestamp: timestamp() },
      expiration_time: '60',
    };
    const version = send(bidder, [['offer::OfferTokenEvent', data]]);
    if (version === null) return;
    const made = { bidder, version, quantity, filled: 0, status: 'CREATED' } as const;
    offers.push({ ...made, token: id, pair: `${key} ${bidder}` });
  };

  /** The newest open offer of one bidder on one token: an answer is to that one. */
  const answer = (): void => {
    const open = offers.filter(({ status }) => status === 'CREATED');
    const pair = open[random(Math.max(1, open.length))]?.pair;
    const at = offers.findLastIndex((one) => one.pair === pair && one.status === 'CREATED');
    const offer = offers[at];
    if (offer === undefined) return bid();
    const common = {
      ...{ coin_owner: offer.bidder, coin_type_info: stage.coin, token_id: offer.token },
      ...{ event_id: String(++eventId), timestamp: timestamp() },
    };
    if (random(4) === 0) {
      const coin_amount = String(700 * (offer.quantity - offer.filled));
      if (send(offer.bidder, [['offer::CancelOfferEvent', { ...common, coin_amount }]]) === null) return;
      offers[at] = { ...offer, status: 'CANCELED' };
      return;
    }
    const owner = anybody();
    // Now and then all that is left is given in one transaction, piece by piece.
    const pieces = random(3) === 0 ? offer.quantity - offer.filled : 1;
    const given = Array.from({ length: pieces }, (_, i): ScriptedEvent => {
      const is_offer_end = offer.filled + i + 1 === offer.quantity;
      const piece = { token_owner: owner, token_amount: '1', coin_amount_per_token: '700' };
      return ['offer::AcceptOfferEvent', { ...common, ...piece, is_offer_end, expiration_time: '60' }];
    });
    if (send(owner, given) === null) return;
    sales += pieces;
    const filled = offer.filled + pieces;
    offers[at] = { ...offer, filled, status: filled === offer.quantity ? 'ACCEPTED' : 'CREATED' };
  };

  const create = (): void => {
    const collection = collections[random(collections.length + 1)];
    if (collection === undefined) {
      const creator = anybody();
      const name = `Made collection ${collections.length + 1}`;
      const about = { category: 'art', tags: ['script'], description: 'd', uri: 'u', maximum: '0' };
      const data = { creator, name, ...about, payees: [creator], royalties: ['5'] };
      if (send(creator, [['creation::CollectionCreatedEvent', data]]) !== null)
        collections.push({ creator, name });
      return;
    }
    const name = `Made token ${tokens.length + 1}`;
    const { creator } = collection;
    const token_data_id = { creator, collection: collection.name, name };
    const token_id = { property_version: '0', token_data_id };
    const data = { creator, name, description: 'd', uri: 'u', token_id };
    if (send(creator, [['creation::TokenCreatedEvent', data]]) !== null) tokens.push(name);
  };

  const openGallery = (): void => {
    const at = random(galleries.length + 1) % GALLERIES_MAX;
    const old = galleries[at];
    const id = old === undefined ? galleries.length + 1 : at + 1;
    const owner = old?.owner ?? anybody();
    const token = old?.token ?? anyToken().id;
    const name = `Gallery ${id} as of ${timestamp()}`;
    const data = {
      ...{ id: String(id), event_type: old === undefined ? 'GalleryCreated' : 'GalleryUpdated' },
      ...{ owner, token_id: token, space_type: 'hall', name, metadata_uri: 'u', timestamp: seconds() },
      ...{ payees: [owner], commission_rates: ['10'] },
    };
    if (send(owner, [['curation::GalleryEvent', data]]) !== null) galleries[id - 1] = { owner, name, token };
  };

  /** Somebody wants a token in a gallery, and somebody says what becomes of it. */
  const propose = (): void => {
    const pending = proposals.findIndex(({ status }) => status === 'pending');
    const proposal = proposals[pending];
    if (proposal !== undefined && random(2) === 0) {
      const [event_type, status] = AFTER_OFFER[random(AFTER_OFFER.length)] ?? AFTER_OFFER[0];
      const data = { ...proposal.data, event_type, timestamp: seconds() };
      if (send(anybody(), [['curation::OfferEvent', data]]) !== null) proposals[pending] = { data, status };
      return;
    }
    const [source, destination] = [anybody(), anybody()];
    const now = BigInt(seconds());
    const data = {
      ...{ id: String(proposals.length + 1), event_type: 'OfferCreated', token_id: anyToken().id },
      ...{ source, destination, price: '900', gallery_id: '1', url: 'u', detail: 'd', timestamp: seconds() },
      ...{ offer_start_at: String(now), offer_expired_at: String(now + 60n) },
      exhibit_expired_at: String(now + 600n),
    };
    if (send(source, [['curation::OfferEvent', data]]) !== null) proposals.push({ data, status: 'pending' });
  };

  const exhibit = (): void => {
    const listed = exhibits.findIndex(({ status }) => status === 'listing' || status === 'frozen');
    const old = exhibits[listed];
    if (old !== undefined && random(2) === 0) {
      const [event_type, status] =
        old.status === 'frozen'
          ? (['ExhibitRedeemed', 'redeemed'] as const)
          : (AFTER_LISTED[random(AFTER_LISTED.length)] ?? AFTER_LISTED[0]);
      const data = { ...old.data, event_type, owner: anybody(), timestamp: seconds() };
      if (send(anybody(), [['curation::ExhibitEvent', data]]) === null) return;
      exhibits[listed] = { data, status };
      if (status === 'sold') sales++;
      return;
    }
    const origin = anybody();
    const data = {
      ...{ id: String(exhibits.length + 1), event_type: 'ExhibitListed', gallery_id: '1', price: '1000' },
      ...{ token_id: anyToken().id, origin, curator: anybody(), owner: origin, location: 'wall' },
      ...{ url: 'u', detail: 'd', timestamp: seconds(), expiration: String(BigInt(seconds()) + 600n) },
    };
    if (send(origin, [['curation::ExhibitEvent', data]]) !== null) exhibits.push({ data, status: 'listing' });
  };

  const choices = [bid, answer, answer, create, openGallery, propose, exhibit];
  return {
    act: () => (choices[random(choices.length)] ?? bid)(),
    scenes: {
      get offers() {
        return offers.map(({ bidder, version, quantity, filled, status }) => ({
          ...{ bidder, version, quantity, filled, status },
        }));
      },
      get collections() {
        return collections.map(({ name }) => name);
      },
      tokens,
      get galleries() {
        return galleries.map(({ name }) => name);
      },
      get curationOffers() {
        return proposals.map(({ status }) => status);
      },
      get exhibits() {
        return exhibits.map(({ status }) => status);
      },
      get sales() {
        return sales;
      },
    },
  };
}
