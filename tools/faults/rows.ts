import type { FaultRow, FaultSection } from './faultRow';
import { BULLMQ_ROWS } from './rows/bullmq';
import { COMMAND_ROWS } from './rows/commands';
import { DATA_ROWS } from './rows/data';
import { ORIGINAL_WORKER_ROWS } from './rows/originalWorker';
import { PROCESS_ROWS } from './rows/process';
import { PROVIDER_ROWS } from './rows/provider';
import { PURCHASE_ROWS } from './rows/purchases';
import { REORG_ROWS } from './rows/reorg';
import { SCENARIO_ROWS } from './rows/scenarios';

/** Every known fault: what `npm run test:faults` proves, and what the table in `docs/guarantees.md` is made from. */
export const FAULT_SECTIONS: readonly FaultSection[] = [
  { name: 'Providers', rows: PROVIDER_ROWS },
  { name: 'Reorgs', rows: REORG_ROWS },
  { name: 'Processes, queue and store', rows: PROCESS_ROWS },
  { name: 'Data', rows: DATA_ROWS },
  { name: 'Commands', rows: COMMAND_ROWS },
  { name: 'Purchases', rows: PURCHASE_ROWS },
  { name: 'The order of jobs in BullMQ', rows: BULLMQ_ROWS },
  { name: 'The original worker', rows: ORIGINAL_WORKER_ROWS },
  { name: 'What a careless design gets wrong', rows: SCENARIO_ROWS },
];

export const FAULT_ROWS: readonly FaultRow[] = FAULT_SECTIONS.flatMap(({ rows }) => rows);

/** All ids that must have a row. */
export const EXPECTED_IDS: readonly string[] = [
  ...numbered('P', 19),
  ...numbered('R', 13),
  ...numbered('Q', 22),
  ...numbered('D', 15),
  ...numbered('E', 13),
  ...numbered('E', 26, 19),
  ...numbered('E', 18, 14),
  ...numbered('B', 15),
  ...numbered('O', 11),
  ...numbered('S', 5),
];

function numbered(letter: string, last: number, first = 1): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${letter}${first + i}`);
}
