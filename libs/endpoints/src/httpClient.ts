import { isAscii } from 'node:buffer';
import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';

/** An HTTP answer, decompressed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpClientOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly connectionsMax: number;
  /** Of a decompressed body. A larger one is refused before it is read whole. */
  readonly bodyBytesMax: number;
}

/**
 * No complete answer. `timeout`: the time limit passed. `too-large`: the body exceeds the bound. `stale`: a kept connection
 * was closed before the answer began.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  constructor(
    readonly kind: 'connection' | 'stale' | 'timeout' | 'too-large',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A POST when it has a body, else a GET. */
export interface HttpRequest {
  /** JSON. */
  readonly body?: string;
  /** With its query. @defaultValue those of the client's URL */
  readonly path?: string;
}

export interface HttpClient {
  /** @throws {HttpError} there is no complete answer; or the signal's reason when it aborts. */
  send(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer>;
  /** Closes kept connections. */
  close(): void;
}

/** JSON answers are nearly always plain ASCII, which is taken over byte by byte several times faster than UTF-8. */
function textOf(body: Buffer): string {
  return isAscii(body) ? body.toString('latin1') : body.toString('utf8');
}

const decompress: Readonly<Record<string, (body: Buffer, options: zlib.ZlibOptions) => Buffer>> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync as (body: Buffer) => Buffer,
};

/** Requests to one server over kept-alive connections of node's own client; no redirect is followed. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { url, connectionsMax, bodyBytesMax } = options;
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' });
  const credentials =
    url.username === ''
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const target = {
    agent,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    ...(credentials === undefined ? {} : { auth: credentials }),
  };

  const sendOnce = (request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error): void => {
        settle();
        req.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason as Error);
      const { body, path = target.path } = request;
      const method = body === undefined ? 'GET' : 'POST';
      const headers = {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        accept: 'application/json',
        'accept-encoding': 'gzip, deflate',
        ...options.headers,
      };
      const req = client.request({ ...target, method, path, headers }, (res) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        res.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > bodyBytesMax) {
            fail(new HttpError('too-large', `the answer is larger than ${bodyBytesMax} bytes`));
          } else chunks.push(chunk);
        });
        res.on('end', () => {
          settle();
          if (!res.complete) return reject(new HttpError('connection', 'the answer broke off'));
          try {
            const raw = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes);
            const inflate = decompress[res.headers['content-encoding'] ?? ''];
            const plain = inflate === undefined ? raw : inflate(raw, { maxOutputLength: bodyBytesMax });
            resolve({
              status: res.statusCode ?? 0,
              headers: res.headers,
              body: textOf(plain),
            });
          } catch (cause) {
            const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
            reject(
              tooLarge
                ? new HttpError('too-large', `the answer is larger than ${bodyBytesMax} bytes`)
                : new HttpError('connection', 'the answer cannot be decompressed', { cause }),
            );
          }
        });
        res.on('error', (cause) => fail(new HttpError('connection', 'the answer broke off', { cause })));
      });
      req.on('error', (cause: NodeJS.ErrnoException) => {
        const stale = req.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
        fail(
          new HttpError(stale ? 'stale' : 'connection', `no connection (${cause.code ?? 'unknown'})`, {
            cause,
          }),
        );
      });
      const timer = setTimeout(
        () => fail(new HttpError('timeout', `no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      req.end(body);
    });
  /** A kept connection that the server closed meanwhile says nothing of the server: the next one is asked. */
  const send: HttpClient['send'] = async (request, timeoutMs, signal) => {
    for (let stale = 0; ; stale++) {
      try {
        return await sendOnce(request, timeoutMs, signal);
      } catch (error) {
        if (!(error instanceof HttpError) || error.kind !== 'stale' || stale >= connectionsMax) throw error;
      }
    }
  };
  return { send, close: () => agent.destroy() };
}
