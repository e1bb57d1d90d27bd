import type { KeptEvent } from '@imart/event-service';
import { createRecentMarks } from './recentMarks';

const kept = (data: string, version = 1): KeptEvent => ({
  version,
  eventId: `e${version}` as KeptEvent['eventId'],
  name: 'Added',
  data,
  timeUs: 1n,
});

it('guesses nothing before the lag is known, and bounds the lag from above afterwards (E3)', () => {
  let time = 0;
  const recent = createRecentMarks(() => time);
  recent.remember('pen', kept('[]'));
  expect(recent.guess('pen')).toBeNull();
  recent.tellLag(500);
  time = 40;
  expect(recent.guess('pen')).toEqual({ marked: kept('[]'), lagMs: 540 });
  recent.forget('pen');
  expect(recent.guess('pen')).toBeNull();
});

it('remembers nothing that is sealed for a person, and nothing long', () => {
  const recent = createRecentMarks();
  recent.tellLag(0);
  for (const data of ['sealed:1:[]', 'x'.repeat(2_001)]) {
    recent.remember('pen', kept('[]'));
    recent.remember('pen', kept(data, 2));
    expect(recent.guess('pen')).toBeNull();
  }
});

it('is bounded: the one that was marked longest ago goes', () => {
  const recent = createRecentMarks();
  recent.tellLag(0);
  for (let i = 0; i < 10_001; i++) recent.remember(`item-${i}`, kept('[]'));
  expect(recent.guess('item-0')).toBeNull();
  expect(recent.guess('item-1')).not.toBeNull();
  expect(recent.guess('item-10000')).not.toBeNull();
});
