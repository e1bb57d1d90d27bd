import { RpcBatchLimitError, RpcUnavailableError, type RpcError, type RpcPlace } from './errors';
import { safeText, toRpcError } from './toRpcError';

/** One JSON-RPC call. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** The body of a request: the call itself when there is one, else a batch whose ids are the places of the calls. */
export function writeBatch(calls: readonly RpcCall[]): string {
  const one = ({ method, params }: RpcCall, id: number): string =>
    `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${JSON.stringify(params)}}`;
  return calls.length === 1 ? one(calls[0] as RpcCall, 0) : `[${calls.map(one).join(',')}]`;
}

function parse(text: string, place: RpcPlace): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new RpcUnavailableError(place, `the answer is no JSON: ${safeText(text)}`, cause);
  }
}

const isAnswer = (value: unknown): value is Answer => typeof value === 'object' && value !== null;

/**
 * The results in the order of the calls, matched by id: all of them, or an error (P15).
 * @throws {RpcError} what the first failed call failed with; or that the batch is not whole.
 */
export function readBatch(
  text: string,
  calls: readonly RpcCall[],
  endpoint: string,
  retryAfterMs: number | null,
): unknown[] {
  const single = calls.length === 1;
  const place: RpcPlace = { endpoint, method: single ? (calls[0] as RpcCall).method : 'batch' };
  const parsed = parse(text, place);
  const answers = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  if (!single && !Array.isArray(parsed)) throw refusedBatch(parsed, place, retryAfterMs);

  const byId = new Array<Answer | undefined>(calls.length);
  for (const answer of answers) {
    if (!isAnswer(answer)) throw new RpcUnavailableError(place, 'an answer is no object');
    // A failed request may be answered without its id. So may the only one there is.
    const id = single ? 0 : Number(answer.id);
    if (answer.id === null || !(id in calls)) {
      if (answer.error !== undefined) throw toRpcError(place, answer.error, retryAfterMs);
      throw new RpcUnavailableError(
        place,
        `an answer has the unknown id ${safeText(JSON.stringify(answer.id ?? null))}`,
      );
    }
    if (byId[id] !== undefined) throw new RpcUnavailableError(place, `two answers have the id ${id}`);
    byId[id] = answer;
  }
  return calls.map(({ method }, i) => {
    const answer = byId[i];
    if (answer === undefined) {
      throw new RpcUnavailableError(
        place,
        `${answers.length} of ${calls.length} calls of a batch were answered`,
      );
    }
    if (answer.error !== undefined && answer.error !== null) {
      throw toRpcError({ endpoint, method }, answer.error, retryAfterMs);
    }
    if (answer.result === undefined)
      throw new RpcUnavailableError({ endpoint, method }, 'neither result nor error');
    return answer.result;
  });
}

/** One object for a whole batch: an error about all of it, most often that batches are not taken. */
function refusedBatch(parsed: unknown, place: RpcPlace, retryAfterMs: number | null): RpcError {
  if (!isAnswer(parsed) || parsed.error === undefined) {
    return new RpcBatchLimitError(place, 'a batch was answered as if it were one call');
  }
  const error = toRpcError(place, parsed.error, retryAfterMs);
  return error instanceof RpcUnavailableError ? new RpcBatchLimitError(place, error.message) : error;
}
