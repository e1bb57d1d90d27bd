import { Client, credentials, Metadata, type ClientReadableStream } from '@grpc/grpc-js';
import { endpointLabel, RpcTimeoutError, RpcUnavailableError, type PoolEndpoint } from '@imart/endpoints';
import { messageOf } from '@imart/core';
import type { LedgerEndpointStats } from './ledgerSource';
import { isServiceError, toStreamError } from './streamErrors';
import { writeStreamRequest, type StreamRequest } from './streamRequest';

export const STREAM_METHOD = '/aptos.indexer.v1.RawData/GetTransactions';
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Of HTTP/2: how much may be on its way before the reader has taken it. */
const WINDOW_BYTES = 8 * 1024 * 1024;

export interface StreamEndpointOptions {
  /** `https://host:port`, or `http://host:port` without encryption. */
  readonly url: string;
  /** Its place in the list, from 1: part of the label. */
  readonly place: number;
  /** Sent as a bearer token, never logged; `null`: none. */
  readonly apiKey: string | null;
  /** Of one message. */
  readonly messageBytesMax: number;
}

/** A stream that was opened. */
export interface OpenStream {
  /** Whether another message was received already. */
  readonly hasMore: boolean;
  /**
   * The next message; `null` when the stream has ended. Nothing more is received than a few messages ahead.
   * @throws {RpcError}
   */
  next(): Promise<Buffer | null>;
  /** Lets go of it. What waits for a message then is told that it is unavailable. */
  close(): void;
}

/** A server of the Transaction Stream. */
export interface StreamEndpoint extends PoolEndpoint {
  readonly stats: LedgerEndpointStats;
  open(request: StreamRequest): OpenStream;
}

export function createStreamEndpoint(options: StreamEndpointOptions): StreamEndpoint {
  const url = new URL(options.url);
  const isPlain = url.protocol === 'http:';
  const label = endpointLabel(url, options.place, 'grpc');
  const place = { endpoint: label, method: 'GetTransactions' };
  const stats: LedgerEndpointStats = {
    endpoint: label,
    requests: 0,
    receivedBytes: 0,
    errors: {},
    inFlight: 0,
  };
  let client: Client | null = null;

  /** Made when it is needed, and anew after a failure: a channel that failed waits longer and longer before it tries again. */
  const connect = (): Client =>
    (client ??= new Client(
      `${url.hostname}:${url.port === '' ? (isPlain ? 80 : 443) : url.port}`,
      isPlain ? credentials.createInsecure() : credentials.createSsl(),
      {
        'grpc.max_receive_message_length': options.messageBytesMax,
        'grpc.keepalive_time_ms': KEEPALIVE_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
        'grpc-node.flow_control_window': WINDOW_BYTES,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_retries': 0,
      },
    ));

  const disconnect = (): void => {
    client?.close();
    client = null;
  };

  return {
    label,
    stats,
    open(request) {
      const metadata = new Metadata();
      if (options.apiKey !== null) metadata.set('authorization', `Bearer ${options.apiKey}`);
      metadata.set('x-aptos-request-name', 'imart-event-worker');
      stats.requests++;
      stats.inFlight++;
      const call: ClientReadableStream<Buffer> = connect().makeServerStreamRequest<Buffer, Buffer>(
        STREAM_METHOD,
        (bytes) => bytes,
        (bytes) => bytes,
        writeStreamRequest(request),
        metadata,
      );
      // Met by whoever reads; after that it is nobody's.
      call.on('error', () => undefined);
      const messages = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      let isOpen = true;
      const close = (): void => {
        if (!isOpen) return;
        isOpen = false;
        stats.inFlight--;
        call.cancel();
      };
      return {
        get hasMore() {
          return call.readableLength > 0;
        },
        async next() {
          try {
            const { done, value } = await messages.next();
            if (done === true) return null;
            stats.receivedBytes += value.length;
            return value;
          } catch (cause) {
            const error = isServiceError(cause)
              ? toStreamError(place, cause)
              : new RpcUnavailableError(place, messageOf(cause), cause);
            if (isOpen) {
              stats.errors[error.code] = (stats.errors[error.code] ?? 0) + 1;
              if (error instanceof RpcUnavailableError || error instanceof RpcTimeoutError) disconnect();
            }
            throw error;
          }
        },
        close,
      };
    },
    close: disconnect,
  };
}
