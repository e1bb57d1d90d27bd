import { readRetryAfterMs, safeText } from './answerText';
import { endpointLabel } from './label';

describe('what a log may have of an endpoint', () => {
  it('is its place and host: no path, no query, no credentials', () => {
    const url = new URL('https://user:secret@rpc.example:8443/v2/key?token=secret');
    expect(endpointLabel(url, 2)).toBe('rpc#2 (rpc.example:8443)');
    expect(endpointLabel(url, 1, 'fullnode')).toBe('fullnode#1 (rpc.example:8443)');
  });

  it('is one short line of its answer, without the addresses in it', () => {
    const page = `<p>no such\n  path: https://rpc.example/v2/key,\nwss://rpc.example/key</p>${'x'.repeat(1_000)}`;
    const text = safeText(page);
    expect(text.startsWith('<p>no such path: <url> <url></p>')).toBe(true);
    expect(text).toHaveLength(300);
    expect(text).not.toMatch(/key|\n/);
  });
});

describe('the wait that an endpoint asks for', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    [undefined, null],
    ['', null],
    ['soon', null],
    ['0', 0],
    [' 7 ', 7_000],
    ['0.0015', 2],
    ['Thu, 01 Jan 2026 00:01:30 GMT', 90_000],
    ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
  ])('by %p is %p ms', (header, ms) => {
    expect(readRetryAfterMs(header, now)).toBe(ms);
  });
});
