import { messageOf } from '@imart/core';
import type { PurchaseFound } from '@imart/purchase';
import type { Logger } from '@imart/runtime';
import type { FastifyReply } from 'fastify';
import { purchaseFields } from './fields';

/** Browsers and proxies take a connection on which nothing comes for dead. */
const HEARTBEAT_MS = 15_000;

/** Streams of purchases to those who watch them. */
export interface PurchaseStreams {
  readonly open: number;
  /** Sends what is found, the state as it is now first, until it is final or the other side goes. */
  send(reply: FastifyReply, watch: (signal: AbortSignal) => AsyncIterable<PurchaseFound>): Promise<void>;
  /** Ends all. */
  close(): void;
}

export function createPurchaseStreams(logger: Logger): PurchaseStreams {
  const ends = new Set<AbortController>();
  return {
    get open() {
      return ends.size;
    },
    async send(reply, watch) {
      const end = new AbortController();
      ends.add(end);
      // From here on the answer is ours.
      reply.hijack();
      const { raw } = reply;
      raw.on('close', () => end.abort());
      raw.on('error', () => end.abort());
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        // Kept open after its end, it would hold up the shutdown for as long as an idle connection may stay.
        connection: 'close',
      });
      const beating = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS);
      try {
        for await (const found of watch(end.signal)) {
          if (found.kind === 'found') {
            raw.write(`event: purchase\ndata: ${JSON.stringify(purchaseFields(found.purchase))}\n\n`);
          } else {
            raw.write(`event: gone\ndata: ${JSON.stringify({ reason: found.kind })}\n\n`);
          }
        }
      } catch (error) {
        // The other side connects again, and is told the state as it then is.
        logger.warn('a stream of a purchase ends early', { error: messageOf(error) });
      } finally {
        clearInterval(beating);
        ends.delete(end);
        raw.end();
      }
    },
    close() {
      for (const end of ends) end.abort();
    },
  };
}
