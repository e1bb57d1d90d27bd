'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.blockSeqNo = void 0;
const core_1 = require('@imart/core');
/** The codec of the fake chains of tests: block 32 bits, index 17, part 14. */
exports.blockSeqNo = (0, core_1.createSeqNoCodec)({ positionBits: 32, indexBits: 17, partBits: 14 });
