'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeSubjectStore = describeSubjectStore;
const globals_1 = require('@jest/globals');
const feed_features_1 = require('./feed.features');
const anyHistory_features_1 = require('./store/anyHistory.features');
const log_features_1 = require('./store/log.features');
const progress_features_1 = require('./store/progress.features');
const states_features_1 = require('./store/states.features');
const twoWriters_features_1 = require('./store/twoWriters.features');
const subjectChanges_features_1 = require('./subjectChanges.features');
/** The contract of `SubjectStore`: every store of a subject keeps it. */
function describeSubjectStore(name, features) {
  (0, globals_1.describe)(`${name}: the contract of a subject's store`, () => {
    if (features.afterEach !== undefined) (0, globals_1.afterEach)(() => features.afterEach?.());
    (0, log_features_1.describeLog)(features);
    (0, states_features_1.describeStates)(features);
    (0, progress_features_1.describeProgress)(features);
    (0, twoWriters_features_1.describeTwoWriters)(features);
    (0, anyHistory_features_1.describeAnyHistory)(features);
  });
  (0, subjectChanges_features_1.describeSubjectChanges)(name, features);
  (0, feed_features_1.describeFeed)(name, features);
}
