'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createMutex = createMutex;
function createMutex() {
  let tail = Promise.resolve();
  return {
    lock() {
      let release = () => undefined;
      const before = tail;
      tail = new Promise((resolve) => (release = resolve));
      return before.then(() => release);
    },
  };
}
