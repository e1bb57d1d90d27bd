import { escapeLiteral } from 'pg';

/** An array as it stands in a statement without parameters. */
export function arrayOf(type: 'bigint' | 'numeric' | 'text', values: readonly (bigint | string)[]): string {
  return `ARRAY[${values.map((value) => escapeLiteral(String(value))).join(',')}]::${type}[]`;
}
