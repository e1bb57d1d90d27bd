'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.given = given;
const globals_1 = require('@jest/globals');
const straightFold_1 = require('./straightFold');
function given(script) {
  const run = (0, straightFold_1.straightFold)(script.events);
  const rows = run.rows;
  const activities = run.activities;
  return {
    rows,
    activities,
    parked: run.parked,
    then(expectedRows, expectedActivities) {
      (0, globals_1.expect)(rows).toMatchObject([...expectedRows]);
      (0, globals_1.expect)(activities).toMatchObject([...expectedActivities]);
    },
  };
}
