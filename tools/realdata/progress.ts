import { query } from './tables';
import type { WorkerProcess } from './workerProcess';

/** The block that a worker on this database reads next; -1 before it knows. */
export async function nextBlock(url: string): Promise<number> {
  const [table] = await query(url, `SELECT to_regclass('subjects') IS NOT NULL AS there`);
  if (table?.['there'] !== true) return -1;
  const [subject] = await query(url, 'SELECT next_position FROM subjects');
  return Number(subject?.['next_position'] ?? -1);
}

/** Another process has no event to wait for. @throws when the worker ends before. */
export async function nextBlockReaches(url: string, block: number, worker: WorkerProcess): Promise<void> {
  let over = false;
  void worker.ended.then(() => (over = true));
  while ((await nextBlock(url)) < block) {
    if (over) throw new Error(`the worker ended before block ${block}: ${worker.said()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
