import { messageOf } from '@imart/core';
import { retryDelayMs, type RetrySchedule } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import WebSocket from 'ws';
import { readBlock } from '../fetch/canonicalBlock';
import type { EvmBlock } from '../log';

/** Tells of new heads early. Only a hint: whatever it misses, the poll finds (P13). */
export interface HeadHints {
  /** The newest head that was announced since the last call; `null`: none. */
  take(): EvmBlock | null;
  /** Resolves at the next announcement, at once when there is one, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface NewHeadsOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly random: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Failed connections in a row after which it is left alone; `null`: never. */
  readonly attemptsMax: number | null;
  /** A connection without a word for so long is replaced. */
  readonly silenceMs: number;
}

const RECONNECT: RetrySchedule = { firstMs: 500, maxMs: 60_000 };
const SUBSCRIBE = '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}';

/** For a subject without websocket. */
export const noHeadHints: HeadHints = {
  take: () => null,
  next: (signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  close: () => undefined,
};

export function createNewHeads(options: NewHeadsOptions): HeadHints {
  const { url, logger, random, wait, attemptsMax, silenceMs } = options;
  const closing = new AbortController();
  let latest: EvmBlock | null = null;
  let waiting: (() => void)[] = [];

  const announce = (block: EvmBlock): void => {
    latest = block;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };

  /** One connection, until it ends. @returns whether it brought anything. */
  const listen = (): Promise<boolean> =>
    new Promise((resolve) => {
      let useful = false;
      const socket = new WebSocket(url, { handshakeTimeout: 10_000, maxPayload: 1024 * 1024 });
      const watchdog = setInterval(() => socket.terminate(), silenceMs);
      watchdog.unref();
      const abort = (): void => socket.terminate();
      closing.signal.addEventListener('abort', abort, { once: true });
      socket.on('open', () => socket.send(SUBSCRIBE));
      socket.on('message', (data: Buffer) => {
        watchdog.refresh();
        try {
          const message = JSON.parse(data.toString('utf8')) as { params?: { result?: unknown } };
          const block = readBlock(message.params?.result, null);
          if (block === null) return;
          useful = true;
          announce(block);
        } catch {
          // Not for us.
        }
      });
      socket.on('error', (error) => logger.debug('newHeads failed', { error: messageOf(error) }));
      socket.on('close', () => {
        clearInterval(watchdog);
        closing.signal.removeEventListener('abort', abort);
        resolve(useful);
      });
    });

  const keepListening = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted;) {
      failures = (await listen()) ? 0 : failures + 1;
      if (attemptsMax !== null && failures >= attemptsMax) {
        logger.debug('no newHeads here, new blocks are found by polling');
        return;
      }
      await wait(retryDelayMs(RECONNECT, failures + 1, random), closing.signal);
    }
  };
  void keepListening();

  return {
    take() {
      const block = latest;
      latest = null;
      return block;
    },
    next(signal) {
      if (latest !== null || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          waiting = waiting.filter((other) => other !== done);
          resolve();
        };
        signal.addEventListener('abort', done, { once: true });
        waiting.push(done);
      });
    },
    close: () => closing.abort(),
  };
}
