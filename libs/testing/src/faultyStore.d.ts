import { type SubjectStore } from '@imart/pipeline';
import type { SeededRandom } from './seededRandom';
/**
 * A store whose calls fail at random: before they take effect, or, transactions, after they were committed and before their caller
 * learns of it.
 */
export declare function createFaultyStore(
  store: SubjectStore,
  random: SeededRandom,
  probability: number,
): SubjectStore;
