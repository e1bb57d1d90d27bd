import {
  anyOf,
  everyEvents,
  everySeconds,
  noSnapshot,
  onEvents,
  onRead,
  type SnapshotMoment,
} from './snapshotPolicy';

const moment: SnapshotMoment = {
  snapshotVersion: 10,
  snapshotTimeUs: 5_000_000n,
  version: 14,
  timeUs: 8_000_000n,
  names: ['Added', 'Taken'],
  reading: false,
};
const none = { ...moment, snapshotVersion: 0, snapshotTimeUs: null };

it.each([
  ['every 4 events, after 4', everyEvents(4), moment, true],
  ['every 5 events, after 4', everyEvents(5), moment, false],
  ['every 3 seconds, after 3', everySeconds(3), moment, true],
  ['every 3.5 seconds, after 3', everySeconds(3.5), moment, false],
  ['every 1000 seconds, without one', everySeconds(1000), none, true],
  ['every second, without a new event', everySeconds(1), { ...moment, version: 10 }, false],
  ['on an event that is there', onEvents('Closed', 'Taken'), moment, true],
  ['on an event that is not there', onEvents('Closed'), moment, false],
  ['on reading, while reading', onRead, { ...moment, reading: true }, true],
  ['on reading, while not reading', onRead, moment, false],
  ['on reading, with nothing new', onRead, { ...moment, reading: true, version: 10 }, false],
  ['any of two, one of which says so', anyOf(everyEvents(5), onEvents('Taken')), moment, true],
  ['any of two, none of which says so', anyOf(everyEvents(5), onEvents('Closed')), moment, false],
  ['never', noSnapshot, { ...none, reading: true }, false],
])('%s: %#', (_what, policy, at, due) => {
  expect(policy(at)).toBe(due);
});

it('refuses what would never or always be due', () => {
  expect(() => everyEvents(0)).toThrow(RangeError);
  expect(() => everyEvents(1.5)).toThrow(RangeError);
  expect(() => everySeconds(0)).toThrow(RangeError);
});
