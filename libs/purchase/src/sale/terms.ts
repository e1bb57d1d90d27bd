import { z } from 'zod';

/** What is sold, for how much, to whom, and when. */
export interface SaleTerms {
  /** For people. */
  readonly name: string;
  /** How many pieces there are at first. */
  readonly supply: number;
  /** Most pieces that one wallet may take; `null`: any number, and nobody need tell a wallet. */
  readonly walletLimit: number | null;
  /** Of one piece, a decimal number as text, exact: at most 30 digits, and 18 behind the point. */
  readonly price: string;
  /** Symbol or contract of the price's currency. */
  readonly currency: string;
  /** From when on it can be bought, inclusive; ISO 8601, UTC. */
  readonly opensAt: string;
  /** Until when, exclusive; `null`: until it is closed. */
  readonly closesAt: string | null;
}

const moment = z.iso
  .datetime({ offset: true, error: 'must be a moment with its zone, as 2026-01-31T12:00:00Z' })
  .transform((text) => new Date(text).toISOString());

/** Checks terms, and brings moments into one form. Says of each what it must be. */
export const saleTermsSchema = z.object({
  name: z.string().trim().min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
  supply: z
    .number()
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000_000_000, 'must be at most 1000000000'),
  walletLimit: z.number().int('must be a whole number').min(1, 'must be at least 1').nullable(),
  price: z
    .string()
    .regex(
      /^\d{1,30}(\.\d{1,18})?$/,
      'must be a decimal number, as 1.5, with at most 18 digits behind the point',
    ),
  currency: z.string().regex(/^[A-Za-z0-9_.:-]{1,80}$/, 'must be a symbol or an address'),
  opensAt: moment,
  closesAt: moment.nullable(),
});
