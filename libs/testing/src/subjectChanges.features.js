'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeSubjectChanges = describeSubjectChanges;
const halt_features_1 = require('./changes/halt.features');
const lateKnowledge_features_1 = require('./changes/lateKnowledge.features');
const parkedAggregates_features_1 = require('./changes/parkedAggregates.features');
const partOfTheLog_features_1 = require('./changes/partOfTheLog.features');
const rewind_features_1 = require('./changes/rewind.features');
const takingBack_features_1 = require('./changes/takingBack.features');
/** The contract of the steps that change what was told, and of what the engine makes of them. */
function describeSubjectChanges(name, features) {
  (0, takingBack_features_1.describeTakingBack)(name, features);
  (0, lateKnowledge_features_1.describeLateKnowledge)(name, features);
  (0, parkedAggregates_features_1.describeParkedAggregates)(name, features);
  (0, rewind_features_1.describeRewind)(name, features);
  (0, halt_features_1.describeHalt)(name, features);
  (0, partOfTheLog_features_1.describePartOfTheLog)(name, features);
}
