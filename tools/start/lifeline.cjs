// Required by the processes that `npm start` starts: when it is gone, in whatever way, its end of their standard input
// closes, and they shut down as if asked to. Threads of theirs, which require it too, have another standard input.
if (require('node:worker_threads').isMainThread) {
  process.stdin.on('error', () => undefined);
  process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
  process.stdin.unref?.();
}
