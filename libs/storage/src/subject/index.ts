export { createSubjectStore, type SubjectStoreOptions } from './createSubjectStore';
export { LanesChangedError, OtherChainError } from './errors';
export { openSubject, type OpenedSubject, type OpenSubjectOptions } from './openSubject';
export { toStorageError } from './pgErrors';
