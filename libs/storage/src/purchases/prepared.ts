import { hash } from 'node:crypto';
import type { PoolClient, QueryConfig } from 'pg';

const names = new Map<string, string>();

/** A name that says its text: releases beside each other on one connection do not mistake each other's statements. */
export function statementName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `purchases_${hash('sha256', text, 'hex').slice(0, 32)}`;
  names.set(text, name);
  return name;
}

/**
 * A statement that a connection has the server plan once, not at every call: planning one of these takes the server longer than what
 * it does for a purchase.
 */
export function prepared(text: string, values: readonly unknown[]): QueryConfig {
  return { name: statementName(text), text, values: [...values] };
}

/** The same connection for whoever says what it runs by text and parameters: prepared. For statements that are made once, not for each call. */
export function preparing(client: PoolClient): PoolClient {
  const query = (text: string, values: readonly unknown[] = []) => client.query(prepared(text, values));
  return { query } as unknown as PoolClient;
}
