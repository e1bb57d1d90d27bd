import type { Pool } from 'pg';
import type { CommandContext } from '../commands/context';

/** What the statements about purchases share. */
export interface PurchaseContext {
  readonly pool: Pool;
  /** Of the sales. */
  readonly sales: CommandContext;
  readonly resultMs: number;
  readonly keptMs: number;
}

/** Channel of the notices that something was said; its payload is the topic. */
export const CHANNEL = 'imart_purchases';
