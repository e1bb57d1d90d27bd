'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.until = until;
/**
 * Waits for a condition that nothing announces: of another process, or behind an interface without events. A look that fails counts as
 * not yet.
 * @throws with what was waited for and the last failure, when it takes longer than it may.
 */
async function until(condition, { what = condition.toString(), patienceMs = 60_000, everyMs = 2 } = {}) {
  let failure;
  for (const end = performance.now() + patienceMs; performance.now() < end;) {
    try {
      if (await condition()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`in ${patienceMs} ms it did not come true: ${what}`, { cause: failure });
}
