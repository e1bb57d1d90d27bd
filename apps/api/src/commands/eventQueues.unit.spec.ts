import { ConfigError } from '@imart/core';
import { readEventQueues } from './eventQueues';

describe('EVENT_QUEUES', () => {
  it('names a type and a queue', () => {
    expect(readEventQueues(['allowlist/shop', 'allowlist/shop', 'sale/shop'], ['allowlist', 'sale'])).toEqual(
      [
        { topic: 'allowlist', name: 'shop' },
        { topic: 'sale', name: 'shop' },
      ],
    );
  });

  it.each([
    ['allowlist', 'is no TYPE/NAME'],
    ['allowlist/', 'is no TYPE/NAME'],
    ['allowlist/a:b', 'is no TYPE/NAME'],
    ['allowlist/a/b', 'is no TYPE/NAME'],
    ['orders/shop', 'AGGREGATES defines no type "orders"'],
  ])('tells what is wrong with %s', (text, says) => {
    expect(() => readEventQueues([text], ['allowlist'])).toThrow(ConfigError);
    expect(() => readEventQueues([text], ['allowlist'])).toThrow(says);
  });
});
