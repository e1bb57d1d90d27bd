/** What reducers have to know of a standard of tokens. It is the token's, whichever chain has the token. */
interface TokenStandardTraits {
  /**
   * Whether what changed hands in a fill, or what a cancellation names, is all that an order was for of which nothing else was seen. `always`: the
   * token exists once, and an order is for it. `at-the-end`: it may be one of an edition, or given for an order for any of its collection, so
   * only where that ended the order. `never`: an order may be for any number.
   */
  readonly isWholeOrder: 'always' | 'at-the-end' | 'never';
}

/** Every standard by the name that events and rows have it by: names are stored, and never change. */
export const TOKEN_STANDARDS = {
  erc721: { isWholeOrder: 'always' },
  erc1155: { isWholeOrder: 'never' },
  /** A token of a contract that has its own transfer events. */
  punk: { isWholeOrder: 'always' },
  'aptos-v1': { isWholeOrder: 'at-the-end' },
  'aptos-v2': { isWholeOrder: 'at-the-end' },
} as const satisfies Readonly<Record<string, TokenStandardTraits>>;

export type TokenStandard = keyof typeof TOKEN_STANDARDS;

/** Of a balance whose events do not say it: those of the one standard that had balances when the events were given their form. */
export const STANDARD_OF_UNTOLD_BALANCE: TokenStandard = 'erc1155';

/** Of what an order is for that says no more than its token. */
export const STANDARD_OF_UNTOLD_TOKEN: TokenStandard = 'erc721';
