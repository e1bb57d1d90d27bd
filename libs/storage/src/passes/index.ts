export { createPassStore, type PassStoreOptions } from './passStore';
export { rebuildStates, type RebuildStatesOptions } from './rebuildStates';
export { ReducersChangedError } from './reducerVersions';
export type { RegisterContext } from './registerFollowed';
export { createStateAudit } from './stateAudit';
export { subjectFacts, type SubjectFacts } from './subjectFacts';
