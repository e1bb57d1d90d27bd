// What a user of the packages writes in JavaScript, as an ES module: names of CommonJS packages can be imported.
import assert from 'node:assert';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { canonicalAddress, createAptosSubject, createStreamSource } from '@imart/chain-aptos';
import { compileEventDecoder, evmMarketplaces, evmSeqNo } from '@imart/chain-evm';
import { BEFORE_FIRST, WorkerError } from '@imart/core';
import { createEndpointPool, endpointLabel } from '@imart/endpoints';
import { everyEvents, testAggregate } from '@imart/event-service';
import { isZeroAddress, marketReducers } from '@imart/market';
import { retryDelayMs, STORAGE_RETRY } from '@imart/pipeline';
import { createLogger, labelOfUrl } from '@imart/runtime';
import { createReadDatabase, prismaDirectory, startEmbeddedPostgres } from '@imart/storage';
import { createWakeUpStream } from '@imart/stream';
import { positionWords, startWorker } from '@imart/worker';

assert.deepStrictEqual(evmSeqNo.decode(evmSeqNo.encode(5n, 4, 3)), { position: 5n, index: 4, part: 3 });
assert.ok(BEFORE_FIRST < evmSeqNo.first(0n));
assert.ok(evmMarketplaces.length > 10 && marketReducers.size > 4);
assert.ok(isZeroAddress(canonicalAddress('0x0')));
assert.strictEqual(positionWords('version').endSetting, 'END_VERSION');
assert.throws(() => everyEvents(0), RangeError);
assert.ok(retryDelayMs(STORAGE_RETRY, 3, () => 1) <= STORAGE_RETRY.maxMs);
assert.strictEqual(labelOfUrl('https://me:secret@rpc.example/v2/key'), 'https://rpc.example/…');
assert.strictEqual(endpointLabel(new URL('https://me:secret@rpc.example/v2/key'), 1), 'rpc#1 (rpc.example)');
assert.strictEqual(canonicalAddress('0x3'), `0x${'0'.repeat(63)}3`);
for (const made of [
  createAptosSubject,
  createStreamSource,
  createEndpointPool,
  compileEventDecoder,
  createLogger,
  createReadDatabase,
  startEmbeddedPostgres,
  createWakeUpStream,
  startWorker,
  testAggregate,
]) {
  assert.strictEqual(typeof made, 'function');
}
assert.ok(existsSync(join(prismaDirectory(), 'views.sql')));
// The same instance for those who require it: an error is one of ours wherever it was made.
const require = createRequire(import.meta.url);
assert.strictEqual(require('@imart/core').WorkerError, WorkerError);
assert.throws(() => require('@imart/core/dist/seqNo.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
console.log('consumer.mjs used the packages');
