/** What somebody does on the development chain: one transaction. Addresses are lower case. */
export type Action = { readonly by: string } & (
  | { readonly kind: 'mint721'; readonly collection: string; readonly to: string }
  | { readonly kind: 'burn721'; readonly collection: string; readonly tokenId: bigint }
  | {
      readonly kind: 'transfer721';
      readonly collection: string;
      readonly tokenId: bigint;
      readonly to: string;
    }
  | {
      readonly kind: 'approve721';
      readonly collection: string;
      readonly tokenId: bigint;
      readonly to: string;
    }
  | { readonly kind: 'approveAll'; readonly collection: string; readonly operator: string }
  /** One item: a single mint, burn or transfer; several: a batch, in which ids may repeat. */
  | {
      readonly kind: 'mint1155';
      readonly collection: string;
      readonly to: string;
      readonly items: readonly Item[];
    }
  | { readonly kind: 'burn1155'; readonly collection: string; readonly items: readonly Item[] }
  | {
      readonly kind: 'transfer1155';
      readonly collection: string;
      readonly to: string;
      readonly items: readonly Item[];
    }
  /** Unix seconds; 0: never expires. Price in wei. */
  | ({ readonly kind: 'list'; readonly collection: string; readonly tokenId: bigint } & Terms)
  | ({ readonly kind: 'reprice'; readonly orderId: bigint } & Terms)
  | { readonly kind: 'buy'; readonly orderId: bigint }
  | { readonly kind: 'delist'; readonly orderId: bigint }
  | ({ readonly kind: 'offer'; readonly collection: string; readonly tokenId: bigint } & Terms)
  | { readonly kind: 'acceptOffer'; readonly offerId: bigint }
  | { readonly kind: 'cancelOffer'; readonly offerId: bigint }
  | { readonly kind: 'createCollection'; readonly standard: TokenStandard; readonly terms: CollectionTerms }
  | {
      readonly kind: 'mixList';
      readonly collection: string;
      readonly tokenId: bigint;
      readonly amount: bigint;
      readonly pricePerToken: bigint;
    }
  | { readonly kind: 'mixPurchase'; readonly id: bigint; readonly amount: bigint }
  | { readonly kind: 'mixCancel'; readonly id: bigint }
  | ({ readonly kind: 'openGallery'; readonly terms: GalleryTerms } & Told)
  | ({ readonly kind: 'changeGallery'; readonly galleryId: bigint } & Told &
      Pick<GalleryTerms, 'name' | 'payees' | 'commissionRates'>)
  | ({ readonly kind: 'exhibit'; readonly terms: ExhibitTerms } & Told)
  | ({
      readonly kind: 'changeExhibit';
      readonly exhibitId: bigint;
      readonly to: 'reserved' | 'frozen' | 'redeemed';
    } & Told)
  | ({ readonly kind: 'buyExhibit'; readonly exhibitId: bigint } & Told)
  | ({ readonly kind: 'offerCuration'; readonly terms: CurationTerms } & Told)
  | ({
      readonly kind: 'answerCuration';
      readonly offerId: bigint;
      readonly answer: 'accepted' | 'rejected' | 'canceled';
    } & Told)
  | { readonly kind: 'claimCommission'; readonly galleryId: bigint }
  | {
      readonly kind: 'createLottery';
      readonly collection: string;
      readonly tokenIds: readonly bigint[];
      readonly endBlock: bigint;
    }
  | { readonly kind: 'drawLottery'; readonly lotteryId: bigint; readonly merkleRoot: string }
  | { readonly kind: 'claimPrize'; readonly lotteryId: bigint; readonly tokenId: bigint }
  | { readonly kind: 'withdrawPrizes'; readonly lotteryId: bigint }
);

export type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;
export type TokenStandard = 'erc721' | 'erc1155';

export interface Item {
  readonly id: bigint;
  readonly value: bigint;
}

interface Terms {
  readonly price: bigint;
  readonly expiresAt: bigint;
}

export interface CollectionTerms {
  readonly name: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly uri: string;
  readonly payees: readonly string[];
  readonly royalties: readonly bigint[];
  readonly maximum: bigint;
}

/** What the event names as its time, in unix seconds: that of asking, since the block's is not known then. */
interface Told {
  readonly now: bigint;
}

/** Rates in ten thousandths of a sale; a pool at the zero address: no commissions. */
export interface GalleryTerms {
  /** The zero address where no token stands for the gallery. */
  readonly collection: string;
  readonly tokenId: bigint;
  readonly spaceType: string;
  readonly name: string;
  readonly metadataUri: string;
  readonly isToken: boolean;
  readonly payees: readonly string[];
  readonly commissionRates: readonly bigint[];
  readonly commissionPool: string;
  readonly admissions: readonly string[];
}

/** Unix seconds; 0: never expires. Price in wei. */
export interface ExhibitTerms {
  readonly galleryId: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly price: bigint;
  readonly expiration: bigint;
  readonly location: string;
  readonly url: string;
  readonly detail: string;
}

/** The same; `startAt` 0: at once. */
export interface CurationTerms {
  readonly galleryId: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly to: string;
  readonly price: bigint;
  readonly startAt: bigint;
  readonly expiredAt: bigint;
  readonly exhibitExpiredAt: bigint;
  readonly url: string;
  readonly detail: string;
}

/** What every Mixverse listing of the traffic names as its URI. */
export const MIXVERSE_URI = 'ipfs://devnet/mixverse';

/** JSON text of a value with bigints, which are written as `{"$":"12"}`. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'bigint' ? { $: String(field) } : field,
  );
}

export function fromJsonText(text: string): unknown {
  return JSON.parse(text, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && '$' in field ? BigInt(field.$ as string) : field,
  );
}
