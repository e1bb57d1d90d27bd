import { CursorError } from './errors';
import { createCursorCodec, limitOf, toPage } from './page';

const codec = createCursorCodec('things', ['subject', 'seqNo', 'number', 'text']);
const text = (parts: unknown): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

describe('cursors', () => {
  it('give the key back, the greatest numbers and any text included', () => {
    const key = ['32767', '9223372036854775807', (2n ** 256n - 1n).toString(), `'; DROP TABLE "ü" --`];
    expect(codec.decode(codec.encode(key))).toEqual(key);
    expect(codec.encode(key)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  const bad: readonly [string, string][] = [
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('[').toString('base64url')],
    ['no list', text({ a: 1 })],
    ['numbers for texts', text(['things', 1, 2, 3, 'x'])],
    ['of another list', text(['others', '1', '2', '3', 'x'])],
    ['too short', text(['things', '1', '2', '3'])],
    ['too long', text(['things', '1', '2', '3', 'x', 'y'])],
    ['a subject out of range', text(['things', '32768', '2', '3', 'x'])],
    ['a seq no out of range', text(['things', '1', '9223372036854775808', '3', 'x'])],
    ['a number that is none', text(['things', '1', '2', 'NaN', 'x'])],
    ['a zero byte', text(['things', '1', '2', '3', '\0'])],
  ];
  it.each(bad)('are refused: %s', (_name, cursor) => {
    expect(() => codec.decode(cursor)).toThrow(CursorError);
  });
});

describe('pages', () => {
  it('end with the limit, and point on only when there is more', () => {
    const codecOfOne = createCursorCodec('one', ['seqNo']);
    const page = (rows: number[]) =>
      toPage(
        rows,
        2,
        codecOfOne,
        (row) => [String(row)],
        (row) => row * 10,
      );
    expect(page([1, 2, 3])).toEqual({ items: [10, 20], next: codecOfOne.encode(['2']) });
    expect(page([1, 2])).toEqual({ items: [10, 20], next: null });
    expect(page([])).toEqual({ items: [], next: null });
  });

  it('have 50 rows unless asked, and at most 500', () => {
    expect([undefined, 1, 500, 501, 0].map((limit) => limitOf({ limit }))).toEqual([50, 1, 500, 500, 1]);
  });
});
