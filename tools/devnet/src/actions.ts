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
