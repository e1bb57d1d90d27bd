import { escapeLiteral } from 'pg';

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };

const literal = (cell: string): string => {
  if (cell === '\\N') return 'NULL';
  if (!cell.includes('\\') && !cell.includes("'")) return `'${cell}'`;
  return escapeLiteral(cell.replace(/\\(.)/gs, (_escape, c: string) => ESCAPED[c] ?? c));
};

/** Lines of COPY text as the rows of a VALUES list: each cell is a literal of unknown type, or NULL. */
export function copyValues(lines: string): string {
  const rows = lines.endsWith('\n') ? lines.slice(0, -1).split('\n') : lines.split('\n');
  return rows.map((row) => `(${row.split('\t').map(literal).join(',')})`).join(',');
}
