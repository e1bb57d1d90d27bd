import { setMaxListeners } from 'node:events';
import { aptos } from '@aptos-labs/aptos-protos';
import { Server, ServerCredentials, status, type ServerWritableStream } from '@grpc/grpc-js';
import { WireReader } from '../read/wire';
import { STREAM_METHOD } from '../source/streamEndpoint';
import type { FakeLedger, ProtoJson } from './fakeLedger';

/** A stream that was asked for. */
export interface StreamQuestion {
  /** How many streams were asked for before. */
  readonly count: number;
  readonly start: bigint;
  /** `null`: endless. */
  readonly transactions: bigint | null;
  readonly batchSize: number;
  readonly authorization: string | undefined;
}

/** How a server behaves otherwise than a good one would. */
export interface StreamFault {
  /** Ends with this status, before or after so many messages. */
  readonly fail?: { readonly code: status; readonly details: string; readonly after?: number };
  /** Ends without an error after so many messages. */
  readonly endAfter?: number;
  /** Sends nothing after so many messages. */
  readonly silentAfter?: number;
  readonly chainId?: number | null;
  readonly ledger?: FakeLedger;
  /** The last version that it has. */
  readonly head?: bigint;
  /** Changes the transactions of a message; `index` counts the stream's messages. */
  readonly message?: (transactions: ProtoJson[], index: number) => ProtoJson[];
  /** Sends this instead of a message. */
  readonly bytes?: (index: number) => Buffer | undefined;
}

export type StreamRule = (question: StreamQuestion) => StreamFault | undefined;

/** A server of the Transaction Stream over a ledger, on a real socket. */
export interface FakeStream {
  readonly url: string;
  readonly questions: readonly StreamQuestion[];
  /** Messages that were written, of all streams. */
  readonly messages: number;
  /** Newest first; the first that gives a fault decides. */
  readonly rules: StreamRule[];
  close(): Promise<void>;
}

export interface FakeStreamOptions {
  readonly port?: number;
  readonly host?: string;
  /** Transactions of a message at most. @defaultValue as asked */
  readonly batchMax?: number;
}

/** Between two looks for new transactions, where the ledger's end was reached. */
const LOOK_EVERY_MS = 5;

const encodeTransaction = (json: ProtoJson): Uint8Array => {
  const { Transaction } = aptos.transaction.v1;
  return Transaction.encode(Transaction.fromJSON(json)).finish() as Uint8Array;
};

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

/** An `aptos.indexer.v1.TransactionsResponse`. */
function encodeResponse(transactions: readonly Uint8Array[], chainId: number | null): Buffer {
  const parts = transactions.flatMap((bytes) => [
    Buffer.from([0x0a, ...varint(BigInt(bytes.length))]),
    Buffer.from(bytes),
  ]);
  if (chainId !== null) parts.push(Buffer.from([0x10, ...varint(BigInt(chainId))]));
  return Buffer.concat(parts);
}

function readQuestion(bytes: Buffer, count: number, authorization: string | undefined): StreamQuestion {
  const reader = new WireReader(bytes);
  let start = 0n;
  let transactions: bigint | null = null;
  let batchSize = 1_000;
  while (reader.next()) {
    if (reader.field === 1) start = reader.uint64();
    else if (reader.field === 2) transactions = reader.uint64();
    else if (reader.field === 3) batchSize = reader.number();
    else reader.skip();
  }
  return { count, start, transactions, batchSize, authorization };
}

export async function startFakeStream(
  ledger: FakeLedger,
  options: FakeStreamOptions = {},
): Promise<FakeStream> {
  const rules: StreamRule[] = [];
  const questions: StreamQuestion[] = [];
  const running = new Set<AbortController>();
  let written = 0;
  const encoded = new WeakMap<ProtoJson, Uint8Array>();
  const encode = (json: ProtoJson): Uint8Array => {
    const known = encoded.get(json) ?? encodeTransaction(json);
    encoded.set(json, known);
    return known;
  };

  const serve = async (call: ServerWritableStream<Buffer, Buffer>, ending: AbortSignal): Promise<void> => {
    const [authorization] = call.metadata.get('authorization');
    const question = readQuestion(
      call.request,
      questions.length,
      authorization === undefined ? undefined : String(authorization),
    );
    questions.push(question);
    let fault: StreamFault = {};
    for (const rule of [...rules].reverse()) {
      const found = rule(question);
      if (found !== undefined) {
        fault = found;
        break;
      }
    }
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const chain = fault.ledger ?? ledger;
    const size = Math.min(question.batchSize, options.batchMax ?? Number.MAX_SAFE_INTEGER);
    const last = question.transactions === null ? null : question.start + question.transactions - 1n;
    let next = question.start;
    if (next < chain.first) {
      const details = `version ${next} is pruned, oldest version is ${chain.first}`;
      call.emit('error', Object.assign(new Error(details), { code: status.NOT_FOUND, details }));
      return;
    }
    for (let index = 0; !ending.aborted; index++) {
      if (fault.fail !== undefined && index >= (fault.fail.after ?? 0)) {
        const { code, details } = fault.fail;
        call.emit('error', Object.assign(new Error(details), { code, details }));
        return;
      }
      if (fault.endAfter !== undefined && index >= fault.endAfter) break;
      while (!ending.aborted && fault.silentAfter !== undefined && index >= fault.silentAfter) await pause();
      let head = fault.head ?? chain.head;
      while (!ending.aborted && next > head) {
        await pause();
        head = fault.head ?? chain.head;
      }
      if (ending.aborted) return;
      const batch: ProtoJson[] = [];
      while (batch.length < size && next <= head && (last === null || next <= last))
        batch.push(chain.at(next++) as ProtoJson);
      const chainId = fault.chainId === undefined ? chain.chainId : fault.chainId;
      const sent = fault.message?.(batch, index) ?? batch;
      const bytes = fault.bytes?.(index) ?? encodeResponse(sent.map(encode), chainId);
      written++;
      if (!call.write(bytes)) {
        await new Promise<void>((resolve) => {
          call.once('drain', resolve);
          ending.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      if (last !== null && next > last) break;
    }
    call.end();
  };

  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const pass = (bytes: Buffer): Buffer => bytes;
  server.addService(
    {
      getTransactions: {
        path: STREAM_METHOD,
        requestStream: false,
        responseStream: true,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    },
    {
      getTransactions: (call: ServerWritableStream<Buffer, Buffer>) => {
        const ending = new AbortController();
        setMaxListeners(0, ending.signal);
        running.add(ending);
        call.on('cancelled', () => ending.abort());
        call.on('error', () => ending.abort());
        void serve(call, ending.signal).finally(() => running.delete(ending));
      },
    },
  );
  const host = options.host ?? '127.0.0.1';
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    url: `http://${host}:${port}`,
    questions,
    rules,
    get messages() {
      return written;
    },
    close() {
      for (const ending of running) ending.abort();
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
