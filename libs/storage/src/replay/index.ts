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
export type { FoldElsewhere, ReplayOptions, ReplayResult, ReplayStep } from './options';
export { replay } from './replay';
