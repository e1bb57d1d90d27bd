'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.silentLogger = void 0;
/** Takes everything, shows nothing. */
exports.silentLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
