import { readRetryAfterMs, safeText, toHttpError, toRpcError } from './toRpcError';
import { RpcRangeLimitError, RpcRateLimitedError } from './errors';

const place = { endpoint: 'rpc#1 (node)', method: 'eth_getLogs' };
const codeOf = (error: unknown): string => toRpcError(place, error).code;

describe('what providers say', () => {
  it.each([
    [-32005, 'query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC].'],
    [-32602, 'range 1000000 exceeds limit of 10000'],
    [
      -32602,
      'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0xd043b8]',
    ],
    [-32000, 'eth_getLogs and eth_newFilter are limited to a 10,000 blocks range'],
    [-32000, 'eth_getLogs is limited to a 1000 blocks range'],
    [-32000, 'exceeds the range allowed for your plan (5000 > 1000)'],
    [-32000, 'response size should not greater than 10000000 bytes'],
    [-32600, 'block range is too wide'],
    [-32602, 'query exceeds max results 20000, retry with the range 25766988-25775072'],
    [-32000, 'Max range: 800'],
    [-32005, 'limit exceeded'],
    [-32000, 'exceed maximum block range: 5000'],
    [-32008, 'Response is too big'],
    [-32000, 'block range too large'],
    [-32000, 'backend response too large'],
    [-32000, 'logs matched by query exceeds limit of 10000'],
    [-32000, 'requested too many blocks from 1 to 5000, maximum is set to 2048'],
    [-32000, 'Block range limit exceeded.'],
    [-32000, 'please limit the query to at most 1000 blocks'],
    [-32000, 'maximum block range: 50000'],
    [-32000, 'Maximum allowed number of requested blocks is 1000'],
    [-32000, 'limited to 1024 block'],
    [-32000, 'ranges over 10000 blocks are not supported on freetier'],
    [-32000, 'eth_getLogs range is too large, max is 1k blocks'],
    [-32000, 'query must be smaller than size 1024'],
    [-32000, 'block range is too wide (maximum 1024)'],
    [-32000, 'up to a 500 block range'],
    [-32000, 'exceeded max allowed'],
    [-32000, 'exceed max block range: 5000'],
    [-32005, 'query exceeds max block range 10000'],
  ])('takes %i "%s" for a limit on the range', (code, message) => {
    expect(codeOf({ code, message })).toBe('RPC_RANGE_LIMIT');
  });

  it.each([
    [429, 'Your app has exceeded its compute units per second capacity.'],
    [-32012, 'credits limited to 6000/sec'],
    [-32007, '50/second request limit reached'],
    [-32005, 'daily request count exceeded, request rate limited'],
    [-32000, 'Too Many Requests'],
  ])('takes %i "%s" for a rate limit, never for a limit on the range (P10)', (code, message) => {
    expect(codeOf({ code, message })).toBe('RPC_RATE_LIMITED');
  });

  it.each([
    ['BLOCK_NOT_SERVED', -32000, 'block not found'],
    ['BLOCK_NOT_SERVED', -32602, 'invalid block range'],
    [
      'BLOCK_NOT_SERVED',
      -32000,
      'One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found',
    ],
    ['BLOCK_NOT_SERVED', -39001, 'Unknown block'],
    ['BLOCK_NOT_SERVED', -32000, 'finalized block not found'],
    ['BLOCK_NOT_SERVED', -32000, 'cannot query unfinalized data'],
    ['RPC_PRUNED', 4444, 'pruned history unavailable'],
    ['RPC_PRUNED', -32000, 'missing trie node 0a1b'],
    ['RPC_PRUNED', -32000, 'data before txNum=5 is not available'],
    ['RPC_PRUNED', -32000, 'Receipt not available for From block 5.'],
    ['RPC_METHOD_UNSUPPORTED', -32601, 'the method eth_getBlockReceipts does not exist/is not available'],
    ['RPC_METHOD_UNSUPPORTED', -32004, 'This request is not supported'],
    ['RPC_TIMEOUT', -32005, 'query timeout exceeded'],
    ['RPC_TIMEOUT', -32000, 'query timeout of 10 seconds exceeded'],
    ['RPC_BATCH_LIMIT', -32600, 'batch requests are not supported'],
    ['RPC_BATCH_LIMIT', -32000, 'batch too large'],
    ['RPC_UNAVAILABLE', -32000, 'no backend is currently healthy to serve traffic'],
    ['RPC_UNAVAILABLE', -32603, 'internal error'],
  ])('says %s for %i "%s"', (expected, code, message) => {
    expect(codeOf({ code, message })).toBe(expected);
  });

  it('reads the reason from data where the message is a formality', () => {
    expect(
      codeOf({ code: -32000, message: 'Server error', data: 'query returned more than 10000 results' }),
    ).toBe('RPC_RANGE_LIMIT');
  });

  it('does not take a limit for one on the range when no range was asked for', () => {
    expect(
      toRpcError({ ...place, method: 'eth_getBlockByNumber' }, { code: -32005, message: 'limit exceeded' })
        .code,
    ).toBe('RPC_UNAVAILABLE');
  });

  it.each([
    [502, '<html>Bad Gateway</html>', 'RPC_UNAVAILABLE'],
    [503, '', 'RPC_UNAVAILABLE'],
    [504, '<html>', 'RPC_TIMEOUT'],
    [429, 'slow down', 'RPC_RATE_LIMITED'],
    [404, 'not here', 'RPC_METHOD_UNSUPPORTED'],
    [413, 'too large', 'RPC_BATCH_LIMIT'],
    [400, '{"error":{"code":-32600,"message":"block range is too wide"}}', 'RPC_RANGE_LIMIT'],
    [500, '{"error":{"code":-32000,"message":"block not found"}}', 'BLOCK_NOT_SERVED'],
  ])('says what HTTP %i "%s" means', (status, body, expected) => {
    expect(toHttpError(place, status, body, null).code).toBe(expected);
  });

  it('keeps what the provider asks to wait', () => {
    const error = toHttpError(place, 429, 'slow down', readRetryAfterMs('7', 0));
    expect(error).toBeInstanceOf(RpcRateLimitedError);
    expect((error as RpcRateLimitedError).retryAfterMs).toBe(7_000);
    expect(readRetryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4_000)).toBe(6_000);
    expect(readRetryAfterMs('soon', 0)).toBeNull();
    expect(readRetryAfterMs(undefined, 0)).toBeNull();
  });

  it('repeats no URL that a page names, and never a whole page', () => {
    expect(safeText('failed: https://user:pass@host/v2/KEY?x=1 \n later')).toBe('failed: <url> later');
    expect(safeText('x'.repeat(10_000))).toHaveLength(300);
  });

  it('hands the hint on', () => {
    const error = toRpcError(place, {
      code: -32005,
      message: 'query returned more than 10000 results',
      data: { from: '0x10', to: '0x1f', limit: 10000 },
    });
    expect((error as RpcRangeLimitError).hint).toEqual({
      suggested: { from: 16, to: 31 },
      blocksMax: null,
      logsMax: 10_000,
    });
  });
});
