import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { type SeqNo } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import type { Look } from './figures';

/**
 * Watches from outside what is executed, as any reader of the database would see it: the least checkpoint of all lanes, which
 * commits with the states it tells of. It asks only while somebody waits for a block, at most once a millisecond, one row by
 * its key: the time of a commit is known to about a millisecond, and never too short.
 */
export interface Watch {
  /** All looks so far, in order. */
  readonly looks: readonly Look[];
  /** Resolves with the first look that shows this block executed. @throws when `patienceMs` passes without it. */
  until(block: number, patienceMs: number): Promise<Look>;
  look(): Promise<Look>;
}

const EXECUTED = {
  name: 'executed',
  text: 'SELECT min(seq_no)::text AS executed, (SELECT max(epoch)::int FROM subjects) AS epoch FROM checkpoints',
};

export function createWatch(client: Client, pauseMs = 1): Watch {
  const looks: Look[] = [];
  const look = async (): Promise<Look> => {
    const askedNs = process.hrtime.bigint();
    const { rows } = await client.query<{ executed: string | null; epoch: number }>(EXECUTED);
    const answeredNs = process.hrtime.bigint();
    const seqNo = BigInt(rows[0]?.executed ?? -1n) as SeqNo;
    const executed = seqNo < 0n ? -1 : Number(evmSeqNo.decode(seqNo).position);
    const seen = { askedNs, answeredNs, executed, epoch: rows[0]?.epoch ?? 0 };
    looks.push(seen);
    return seen;
  };
  return {
    looks,
    look,
    async until(block, patienceMs) {
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const seen = await look();
        if (seen.executed >= block) return seen;
        if (performance.now() > deadline)
          throw new Error(
            `block ${block} is not executed after ${patienceMs} ms: ${seen.executed} is the last one`,
          );
        await delay(pauseMs);
      }
    },
  };
}
