export { createSubjectStore, type SubjectStoreOptions } from './createSubjectStore';
export { LanesChangedError, OtherChainError } from './errors';
export { createIngestLeases, type IngestLeasesOptions } from './lease';
export {
  openSubject,
  type FollowedSubject,
  type OpenedSubject,
  type OpenSubjectOptions,
} from './openSubject';
export {
  readParked,
  readParkedAggregate,
  WAITING_EVENTS_MAX,
  type ParkedAggregate,
  type ParkedReading,
  type SkippedEvent,
  type WaitingEvent,
} from './parkedReadings';
export { readOperatorRecords, type OperatorRecord } from './operatorRecords';
export { countFrom, type StoredFrom } from './countFrom';
export { registeredSubjects, type RegisteredSubject } from './registeredSubjects';
export {
  readSubjectReadings,
  type LaneLag,
  type PassFindings,
  type SubjectReadings,
} from './subjectReadings';
export { toStorageError } from './pgErrors';
