'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.until =
  exports.describeSubject =
  exports.describeSubjectStore =
  exports.wholeRange =
  exports.executeLanes =
  exports.contentsOfStraightFold =
  exports.catchUpWith =
  exports.append =
  exports.AN_OPERATOR =
  exports.marketOfEverything =
  exports.straightFold =
  exports.MARKET_OBSERVER =
  exports.stockItem =
  exports.silentLogger =
  exports.seededRandom =
  exports.randomHistory =
  exports.addPoison =
  exports.createMutex =
  exports.createMessageStore =
  exports.SUBJECT =
  exports.NATIVE =
  exports.multi =
  exports.MULTIPLE =
  exports.MARKET =
  exports.DAVE =
  exports.createMarketScript =
  exports.COLLECTION =
  exports.CAROL =
  exports.BOB =
  exports.art =
  exports.ALICE =
  exports.address =
  exports.createInMemorySubjectStore =
  exports.histories =
  exports.given =
  exports.fakeBlock =
  exports.createFakeSubject =
  exports.appendMessages =
  exports.appendMessage =
  exports.liveThrough =
  exports.createFakeRangeSource =
  exports.blockSeqNo =
    void 0;
/**
 * What specs are built from. Guarantees: the in-memory store keeps the contract of the store's port and throws where the
 * port is misused; fakes and builders give the same for the same calls.
 */
var blockSeqNo_1 = require('./blockSeqNo');
Object.defineProperty(exports, 'blockSeqNo', {
  enumerable: true,
  get: function () {
    return blockSeqNo_1.blockSeqNo;
  },
});
var fakeRangeSource_1 = require('./fakeRangeSource');
Object.defineProperty(exports, 'createFakeRangeSource', {
  enumerable: true,
  get: function () {
    return fakeRangeSource_1.createFakeRangeSource;
  },
});
var anyHistory_1 = require('./anyHistory');
Object.defineProperty(exports, 'liveThrough', {
  enumerable: true,
  get: function () {
    return anyHistory_1.liveThrough;
  },
});
var fakeSubject_1 = require('./fakeSubject');
Object.defineProperty(exports, 'appendMessage', {
  enumerable: true,
  get: function () {
    return fakeSubject_1.appendMessage;
  },
});
Object.defineProperty(exports, 'appendMessages', {
  enumerable: true,
  get: function () {
    return fakeSubject_1.appendMessages;
  },
});
Object.defineProperty(exports, 'createFakeSubject', {
  enumerable: true,
  get: function () {
    return fakeSubject_1.createFakeSubject;
  },
});
Object.defineProperty(exports, 'fakeBlock', {
  enumerable: true,
  get: function () {
    return fakeSubject_1.fakeBlock;
  },
});
var given_1 = require('./given');
Object.defineProperty(exports, 'given', {
  enumerable: true,
  get: function () {
    return given_1.given;
  },
});
var histories_1 = require('./histories');
Object.defineProperty(exports, 'histories', {
  enumerable: true,
  get: function () {
    return histories_1.histories;
  },
});
var inMemorySubjectStore_1 = require('./inMemorySubjectStore');
Object.defineProperty(exports, 'createInMemorySubjectStore', {
  enumerable: true,
  get: function () {
    return inMemorySubjectStore_1.createInMemorySubjectStore;
  },
});
var marketEvents_1 = require('./marketEvents');
Object.defineProperty(exports, 'address', {
  enumerable: true,
  get: function () {
    return marketEvents_1.address;
  },
});
Object.defineProperty(exports, 'ALICE', {
  enumerable: true,
  get: function () {
    return marketEvents_1.ALICE;
  },
});
Object.defineProperty(exports, 'art', {
  enumerable: true,
  get: function () {
    return marketEvents_1.art;
  },
});
Object.defineProperty(exports, 'BOB', {
  enumerable: true,
  get: function () {
    return marketEvents_1.BOB;
  },
});
Object.defineProperty(exports, 'CAROL', {
  enumerable: true,
  get: function () {
    return marketEvents_1.CAROL;
  },
});
Object.defineProperty(exports, 'COLLECTION', {
  enumerable: true,
  get: function () {
    return marketEvents_1.COLLECTION;
  },
});
Object.defineProperty(exports, 'createMarketScript', {
  enumerable: true,
  get: function () {
    return marketEvents_1.createMarketScript;
  },
});
Object.defineProperty(exports, 'DAVE', {
  enumerable: true,
  get: function () {
    return marketEvents_1.DAVE;
  },
});
Object.defineProperty(exports, 'MARKET', {
  enumerable: true,
  get: function () {
    return marketEvents_1.MARKET;
  },
});
Object.defineProperty(exports, 'MULTIPLE', {
  enumerable: true,
  get: function () {
    return marketEvents_1.MULTIPLE;
  },
});
Object.defineProperty(exports, 'multi', {
  enumerable: true,
  get: function () {
    return marketEvents_1.multi;
  },
});
Object.defineProperty(exports, 'NATIVE', {
  enumerable: true,
  get: function () {
    return marketEvents_1.NATIVE;
  },
});
Object.defineProperty(exports, 'SUBJECT', {
  enumerable: true,
  get: function () {
    return marketEvents_1.SUBJECT;
  },
});
var messageStore_1 = require('./messageStore');
Object.defineProperty(exports, 'createMessageStore', {
  enumerable: true,
  get: function () {
    return messageStore_1.createMessageStore;
  },
});
var mutex_1 = require('./mutex');
Object.defineProperty(exports, 'createMutex', {
  enumerable: true,
  get: function () {
    return mutex_1.createMutex;
  },
});
var randomMarket_1 = require('./randomMarket');
Object.defineProperty(exports, 'addPoison', {
  enumerable: true,
  get: function () {
    return randomMarket_1.addPoison;
  },
});
Object.defineProperty(exports, 'randomHistory', {
  enumerable: true,
  get: function () {
    return randomMarket_1.randomHistory;
  },
});
var seededRandom_1 = require('./seededRandom');
Object.defineProperty(exports, 'seededRandom', {
  enumerable: true,
  get: function () {
    return seededRandom_1.seededRandom;
  },
});
var silentLogger_1 = require('./silentLogger');
Object.defineProperty(exports, 'silentLogger', {
  enumerable: true,
  get: function () {
    return silentLogger_1.silentLogger;
  },
});
var stockItem_1 = require('./stockItem');
Object.defineProperty(exports, 'stockItem', {
  enumerable: true,
  get: function () {
    return stockItem_1.stockItem;
  },
});
var straightFold_1 = require('./straightFold');
Object.defineProperty(exports, 'MARKET_OBSERVER', {
  enumerable: true,
  get: function () {
    return straightFold_1.MARKET_OBSERVER;
  },
});
Object.defineProperty(exports, 'straightFold', {
  enumerable: true,
  get: function () {
    return straightFold_1.straightFold;
  },
});
var marketOfEverything_1 = require('./marketOfEverything');
Object.defineProperty(exports, 'marketOfEverything', {
  enumerable: true,
  get: function () {
    return marketOfEverything_1.marketOfEverything;
  },
});
var storeSteps_1 = require('./storeSteps');
Object.defineProperty(exports, 'AN_OPERATOR', {
  enumerable: true,
  get: function () {
    return storeSteps_1.AN_OPERATOR;
  },
});
Object.defineProperty(exports, 'append', {
  enumerable: true,
  get: function () {
    return storeSteps_1.append;
  },
});
Object.defineProperty(exports, 'catchUpWith', {
  enumerable: true,
  get: function () {
    return storeSteps_1.catchUpWith;
  },
});
Object.defineProperty(exports, 'contentsOfStraightFold', {
  enumerable: true,
  get: function () {
    return storeSteps_1.contentsOfStraightFold;
  },
});
Object.defineProperty(exports, 'executeLanes', {
  enumerable: true,
  get: function () {
    return storeSteps_1.executeLanes;
  },
});
Object.defineProperty(exports, 'wholeRange', {
  enumerable: true,
  get: function () {
    return storeSteps_1.wholeRange;
  },
});
var subjectStore_features_1 = require('./subjectStore.features');
Object.defineProperty(exports, 'describeSubjectStore', {
  enumerable: true,
  get: function () {
    return subjectStore_features_1.describeSubjectStore;
  },
});
var subject_features_1 = require('./subject.features');
Object.defineProperty(exports, 'describeSubject', {
  enumerable: true,
  get: function () {
    return subject_features_1.describeSubject;
  },
});
var until_1 = require('./until');
Object.defineProperty(exports, 'until', {
  enumerable: true,
  get: function () {
    return until_1.until;
  },
});
