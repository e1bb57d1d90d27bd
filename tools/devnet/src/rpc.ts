/** One call of a JSON-RPC batch. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A JSON-RPC connection to the development chain. */
export interface DevnetRpc {
  /** @throws {Error} with the method and the node's message. */
  call<T>(method: string, ...params: unknown[]): Promise<T>;
  /** The results in the order of the calls. @throws {Error} when any call fails; the others have been executed. */
  batch<T>(calls: readonly RpcCall[]): Promise<T[]>;
}

interface RpcAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Calls per HTTP request: what anvil takes in well under a second. */
const BATCH_SIZE_MAX = 500;

export function createDevnetRpc(url: string): DevnetRpc {
  const post = async (body: unknown): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    return response.json();
  };
  const resultOf = <T>(call: RpcCall, answer: RpcAnswer | undefined): T => {
    if (answer === undefined) throw new Error(`${call.method}: no answer in the batch`);
    if (answer.error !== undefined) throw new Error(`${call.method}: ${answer.error.message}`);
    return answer.result as T;
  };
  const request = (call: RpcCall, id: number) => ({ jsonrpc: '2.0', id, ...call });
  return {
    async call<T>(method: string, ...params: unknown[]) {
      const call = { method, params };
      return resultOf<T>(call, (await post(request(call, 0))) as RpcAnswer);
    },
    async batch<T>(calls: readonly RpcCall[]) {
      const results: T[] = [];
      for (let start = 0; start < calls.length; start += BATCH_SIZE_MAX) {
        const part = calls.slice(start, start + BATCH_SIZE_MAX);
        const answers = new Map(
          ((await post(part.map(request))) as RpcAnswer[]).map((answer) => [answer.id, answer]),
        );
        part.forEach((call, id) => results.push(resultOf<T>(call, answers.get(id))));
      }
      return results;
    },
  };
}
