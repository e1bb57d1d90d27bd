// Writes the table of fault rows into docs/guarantees.md.
//   npx tsx tools/faults/renderRows.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultRow, FaultSection } from './faultRow';
import { FAULT_SECTIONS } from './rows';

const FILE = join(__dirname, '../../docs/guarantees.md');
const BEGIN =
  '<!-- prettier-ignore-start -->\n<!-- made from tools/faults/rows by npx tsx tools/faults/renderRows.ts -->';
const END = '<!-- prettier-ignore-end -->';

/** A title in a table and in a link. */
const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('[', '\\[').replaceAll(']', '\\]');

function renderRow({ id, fault, tests, reason }: FaultRow): string {
  // A contract is one line, whichever stores it is run against.
  const links = [
    ...new Set(tests.map(({ file, source, title }) => `["${cell(title)}"](../${source ?? file})`)),
  ];
  const why = reason === undefined ? [] : [`${links.length === 0 ? 'does not apply: ' : ''}${reason}`];
  return `| ${id} | ${cell(fault)} | ${[...links, ...why].join('; ')} |`;
}

export function renderRows(sections: readonly FaultSection[] = FAULT_SECTIONS): string {
  const tables = sections.map(
    ({ name, rows }) =>
      `### ${name}\n\n| | fault | shown by |\n|---|---|---|\n${rows.map(renderRow).join('\n')}`,
  );
  return `${BEGIN}\n\n${tables.join('\n\n')}\n\n${END}`;
}

/** The document with the table as it must be. */
export function withRows(document: string): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error('docs/guarantees.md has no place for the table of fault rows');
  return document.slice(0, from) + renderRows() + document.slice(to + END.length);
}

if (require.main === module) writeFileSync(FILE, withRows(readFileSync(FILE, 'utf8')));
