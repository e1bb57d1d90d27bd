/** What the engine counts. Plain numbers beside the loops; metrics and the live line read them. */
export interface PipelineStats {
  ingestedEvents: number;
  executedEvents: number;
  sourceRecords: number;
  appends: number;
  /** Runs committed by lanes, and by catching up. */
  runs: number;
  parkedAggregates: number;
  retries: number;
  sweptWakeUps: number;
  /** Seconds spent folding and preparing, and waiting for the database. */
  foldSeconds: number;
  databaseSeconds: number;
  /** Seconds in which the loop waited for the source. */
  sourceSeconds: number;
}

export function createPipelineStats(): PipelineStats {
  return {
    ingestedEvents: 0,
    executedEvents: 0,
    sourceRecords: 0,
    appends: 0,
    runs: 0,
    parkedAggregates: 0,
    retries: 0,
    sweptWakeUps: 0,
    foldSeconds: 0,
    databaseSeconds: 0,
    sourceSeconds: 0,
  };
}
