import { describeHalt } from './changes/halt.features';
import { describeLateKnowledge } from './changes/lateKnowledge.features';
import { describeParkedAggregates } from './changes/parkedAggregates.features';
import { describePartOfTheLog } from './changes/partOfTheLog.features';
import { describeRewind } from './changes/rewind.features';
import { describeTakingBack } from './changes/takingBack.features';
import type { SubjectStoreFeatures } from './storeFeatures';

/** The contract of the steps that change what was told, and of what the engine makes of them. */
export function describeSubjectChanges(name: string, features: SubjectStoreFeatures): void {
  describeTakingBack(name, features);
  describeLateKnowledge(name, features);
  describeParkedAggregates(name, features);
  describeRewind(name, features);
  describeHalt(name, features);
  describePartOfTheLog(name, features);
}
