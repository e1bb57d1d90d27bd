export { type TableDifference } from './compareTables';
export { ReplayError } from './errors';
export {
  foldPart,
  type AggregateSelection,
  type FoldMeans,
  type FoldPart,
  type FoldProgress,
  type OnFolded,
} from './foldPart';
export { replay, type FoldElsewhere, type ReplayOptions, type ReplayResult, type ReplayStep } from './replay';
