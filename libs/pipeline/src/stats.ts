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
  /** Times that blocks were taken back, how many blocks in all, and the most at once. */
  reorgs: number;
  reorgBlocks: number;
  reorgDepthMax: number;
  /** Events that were taken out of the log again, by reorgs and late changes. */
  retractedEvents: number;
  /** Changes of what a second reading found. */
  lateChanges: number;
  /** Reading sessions that ended because somebody else had changed the log. */
  sessionRestarts: number;
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
    reorgs: 0,
    reorgBlocks: 0,
    reorgDepthMax: 0,
    retractedEvents: 0,
    lateChanges: 0,
    sessionRestarts: 0,
    foldSeconds: 0,
    databaseSeconds: 0,
    sourceSeconds: 0,
  };
}
