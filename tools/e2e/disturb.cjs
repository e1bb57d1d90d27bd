'use strict';
/*
 * Loaded into a program before it starts (NODE_OPTIONS=--require), so that a test can do from outside what no test can do to a process
 * otherwise. SIGUSR2: the event loop is blocked for IMART_TEST_BLOCK_MS the next time that a lane locks its checkpoint, in the
 * middle of its transaction. SIGHUP: a promise is rejected that nobody handles.
 */
const { Socket } = require('node:net');

const blockMs = Number(process.env.IMART_TEST_BLOCK_MS ?? '0');
let armed = false;

const write = Socket.prototype.write;
Socket.prototype.write = function (data, ...rest) {
  const written = write.call(this, data, ...rest);
  if (
    armed &&
    /FROM checkpoints[^;]*FOR UPDATE/.test(Buffer.isBuffer(data) ? data.toString('latin1') : String(data))
  ) {
    armed = false;
    // Not before the server has it: what follows happens while the lane is locked.
    setImmediate(() => {
      for (const end = Date.now() + blockMs; Date.now() < end;);
      process.stdout.write(`${JSON.stringify({ message: 'the event loop was blocked', blockMs })}\n`);
    });
  }
  return written;
};

process.on('SIGUSR2', () => {
  armed = true;
});
process.on('SIGHUP', () => {
  void Promise.reject(new Error('nobody handles this'));
});
