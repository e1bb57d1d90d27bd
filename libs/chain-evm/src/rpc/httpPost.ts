import { isAscii } from 'node:buffer';
import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';

/** An HTTP answer, decompressed. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface HttpPostOptions {
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
export class HttpPostError extends Error {
  override readonly name = 'HttpPostError';
  constructor(
    readonly kind: 'connection' | 'stale' | 'timeout' | 'too-large',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface HttpPost {
  /** @throws {HttpPostError} there is no complete answer; or the signal's reason when it aborts. */
  (body: string, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer>;
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

/** POST over kept-alive connections of node's own client; no redirect is followed. */
export function createHttpPost(options: HttpPostOptions): HttpPost & { close(): void } {
  const { url, connectionsMax, bodyBytesMax } = options;
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' });
  const credentials =
    url.username === ''
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const request = {
    method: 'POST',
    agent,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    ...(credentials === undefined ? {} : { auth: credentials }),
  };

  const post = (body: string, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer> =>
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
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'gzip, deflate',
        'content-length': Buffer.byteLength(body),
        ...options.headers,
      };
      const req = client.request({ ...request, headers }, (res) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        res.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > bodyBytesMax) {
            fail(new HttpPostError('too-large', `the answer is larger than ${bodyBytesMax} bytes`));
          } else chunks.push(chunk);
        });
        res.on('end', () => {
          settle();
          if (!res.complete) return reject(new HttpPostError('connection', 'the answer broke off'));
          try {
            const raw = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes);
            const inflate = decompress[res.headers['content-encoding'] ?? ''];
            const plain = inflate === undefined ? raw : inflate(raw, { maxOutputLength: bodyBytesMax });
            resolve({
              status: res.statusCode ?? 0,
              retryAfter: res.headers['retry-after'],
              body: textOf(plain),
            });
          } catch (cause) {
            const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
            reject(
              tooLarge
                ? new HttpPostError('too-large', `the answer is larger than ${bodyBytesMax} bytes`)
                : new HttpPostError('connection', 'the answer cannot be decompressed', { cause }),
            );
          }
        });
        res.on('error', (cause) => fail(new HttpPostError('connection', 'the answer broke off', { cause })));
      });
      req.on('error', (cause: NodeJS.ErrnoException) => {
        const stale = req.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
        fail(
          new HttpPostError(stale ? 'stale' : 'connection', `no connection (${cause.code ?? 'unknown'})`, {
            cause,
          }),
        );
      });
      const timer = setTimeout(
        () => fail(new HttpPostError('timeout', `no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      req.end(body);
    });
  /** A kept connection that the server closed meanwhile says nothing of the server: the next one is asked. */
  const persistent: HttpPost = async (body, timeoutMs, signal) => {
    for (let stale = 0; ; stale++) {
      try {
        return await post(body, timeoutMs, signal);
      } catch (error) {
        if (!(error instanceof HttpPostError) || error.kind !== 'stale' || stale >= connectionsMax)
          throw error;
      }
    }
  };
  return Object.assign(persistent, { close: () => agent.destroy() });
}
