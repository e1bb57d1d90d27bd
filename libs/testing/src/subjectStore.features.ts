import { afterEach, describe } from '@jest/globals';
import { describeFeed } from './feed.features';
import { describeAnyHistory } from './store/anyHistory.features';
import { describeLog } from './store/log.features';
import { describeProgress } from './store/progress.features';
import { describeStates } from './store/states.features';
import { describeTwoWriters } from './store/twoWriters.features';
import type { SubjectStoreFeatures } from './storeFeatures';
import { describeSubjectChanges } from './subjectChanges.features';

/** The contract of `SubjectStore`: every store of a subject keeps it. */
export function describeSubjectStore(name: string, features: SubjectStoreFeatures): void {
  describe(`${name}: the contract of a subject's store`, () => {
    if (features.afterEach !== undefined) afterEach(() => features.afterEach?.());

    describeLog(features);
    describeStates(features);
    describeProgress(features);
    describeTwoWriters(features);
    describeAnyHistory(features);
  });

  describeSubjectChanges(name, features);
  describeFeed(name, features);
}
