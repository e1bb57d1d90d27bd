import type { Method } from './methods';
import { isObject, type Json } from './recording';
import { RpcError } from './rpcError';

/**
 * Answers the text of one request or batch. Undefined when nothing is to be answered (notifications). A batch is
 * answered in its order. `also` answers methods that the transport adds.
 */
export function answerText(
  text: string,
  methods: ReadonlyMap<string, Method>,
  also?: ReadonlyMap<string, Method>,
): string | undefined {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return JSON.stringify(failure(null, new RpcError(-32700, 'parse error')));
  }
  const answer = (one: unknown): Json | undefined =>
    answerOne(one, (name) => also?.get(name) ?? methods.get(name));
  if (!Array.isArray(request)) {
    const result = answer(request);
    return result === undefined ? undefined : JSON.stringify(result);
  }
  if (request.length === 0) return JSON.stringify(failure(null, new RpcError(-32600, 'empty batch')));
  const results = request.map(answer).filter((result) => result !== undefined);
  return results.length === 0 ? undefined : JSON.stringify(results);
}

function failure(id: unknown, error: RpcError): Json {
  const { code, message, data } = error;
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function answerOne(request: unknown, find: (name: string) => Method | undefined): Json | undefined {
  if (!isObject(request) || typeof request['method'] !== 'string') {
    return failure(
      isObject(request) ? (request['id'] ?? null) : null,
      new RpcError(-32600, 'invalid request'),
    );
  }
  const { id, method: name, params = [] } = request;
  try {
    if (!Array.isArray(params)) throw new RpcError(-32602, 'params is not a list');
    const method = find(name as string);
    if (method === undefined) {
      throw new RpcError(-32601, `the method ${String(name)} does not exist/is not available`);
    }
    const result = method(params);
    return id === undefined ? undefined : { jsonrpc: '2.0', id, result };
  } catch (error) {
    const known =
      error instanceof RpcError ? error : new RpcError(-32603, `internal error: ${(error as Error).message}`);
    return id === undefined ? undefined : failure(id, known);
  }
}
