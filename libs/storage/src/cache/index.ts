export { openCacheKeeping, readBehindHead } from './keeperLease';
export { readTouched, type Touched, type TouchedToken } from './touched';
