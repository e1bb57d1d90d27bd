export {
  auditRange,
  type AuditOptions,
  type AuditRequest,
  type ContractDifference,
  type RangeAudit,
} from './auditRange';
export { changedFields, compareEvents, eventOf, type EventDifference } from './compareEvents';
export { LATE_EVENTS_MAX_DEFAULT, mendRange, type MendedPart, type MendOptions } from './mendRange';
export { mendStates } from './mendStates';
export type {
  Findings,
  Pass,
  PassKind,
  PassStep,
  PassStore,
  PassTransaction,
  RegisteredFollowed,
} from './passes';
export { passStep, type PassStepOptions, type PassStepResult } from './passStep';
export { createPassStats, type PassStats } from './passStats';
export { runPasses, SECOND_PASS_RATE_DEFAULT, type PassesOptions } from './runPasses';
export type { StateAudit, StateDifference } from './stateAudit';
export {
  verifyRange,
  type VerifyOptions,
  type VerifyReport,
  type VerifyRequest,
  type VerifyResult,
} from './verifyRange';
export type {
  BlockReading,
  PositionRange,
  RangeReading,
  RangeRequest,
  RangeSource,
  ReadingDepth,
} from './source';
