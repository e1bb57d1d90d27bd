import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { ROOT } from '../../e2e/bundles';
import { verify } from '../verify.mjs';
import type { ChainServer } from './chainServer';

/** Compares every row of orders, offers, tokens and activities with the state that the chain is known to have. @throws on a difference. */
export async function verifyRows(client: Client, chain: ChainServer): Promise<void> {
  await client.query(readFileSync(join(ROOT, 'tools/bench/views.sql'), 'utf8'));
  const problems = await verify((text) => client.query(text), await chain.expected());
  if (problems.length > 0) throw new Error(`not the expected state: ${problems.join('; ')}`);
}
