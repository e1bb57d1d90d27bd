export { type TableDifference } from './compareTables';
export { ReplayError } from './errors';
export { replay, type ReplayOptions, type ReplayResult, type ReplayStep } from './replay';
