/** What one look at the worker's metrics tells. */
export interface WorkerSample {
  readonly atMs: number;
  readonly head: number;
  readonly ingested: number;
  readonly executed: number;
  readonly events: number;
}

/** Reads what the live line shows from the text of `/metrics`; `null` when something of it is missing. */
export function sampleOf(metrics: string, atMs: number): WorkerSample | null {
  const value = (name: string): number =>
    Number(new RegExp(`^imart_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1]);
  const sample = {
    atMs,
    head: value('head_block'),
    ingested: value('ingested_block'),
    executed: value('executed_block'),
    events: value('executed_events_total'),
  };
  return Object.values(sample).some(Number.isNaN) ? null : sample;
}

/**
 * The line that is written over and over: head, ingested, executed, lag, events a second.
 * @param positions what the chain calls its positions.
 */
export function liveLine(
  before: WorkerSample,
  now: WorkerSample,
  [one, many]: readonly [one: string, many: string] = ['block', 'blocks'],
): string {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 0.001);
  const rate = (now.events - before.events) / seconds;
  const lag = Math.max(0, now.head - now.executed);
  return (
    `head ${now.head}  ingested ${now.ingested}  executed ${now.executed}  ` +
    `lag ${lag} ${lag === 1 ? one : many}  ${rate.toFixed(1)} events/s  ${now.events} events`
  );
}
