/** Addresses of the synthetic chain. */
export const COLLECTION: string;
export const MARKETPLACE: string;
