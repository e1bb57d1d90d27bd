import { status } from '@grpc/grpc-js';
import {
  startFakeStream,
  type FakeStream,
  type FakeStreamOptions,
  type StreamFault,
} from '../../../libs/chain-aptos/src/testing/fakeStream';
import type { ServedLedger } from '../../replay-fullnode/src/commandLine';

/** The third message of a stream is the one that something is wrong with: what comes before it is read. */
const FAULTY_MESSAGE = 2;

/** Faults of streams by name: streams are counted as they are asked for. */
export const STREAM_FAULTS: Readonly<Record<string, (value: string | null) => StreamFault>> = {
  cut: (value) => ({ fail: { code: status.UNAVAILABLE, details: 'scripted', after: Number(value ?? 1) } }),
  refuse: () => ({ fail: { code: status.UNAVAILABLE, details: 'scripted' } }),
  'rate-limit': () => ({ fail: { code: status.RESOURCE_EXHAUSTED, details: 'scripted' } }),
  'no-key': () => ({ fail: { code: status.UNAUTHENTICATED, details: 'scripted' } }),
  end: (value) => ({ endAfter: Number(value ?? 1) }),
  silent: (value) => ({ silentAfter: Number(value ?? 1) }),
  gap: () => ({ message: (all, i) => (i === FAULTY_MESSAGE ? all.slice(1) : all) }),
  repeat: () => ({ message: (all, i) => (i === FAULTY_MESSAGE ? [...all.slice(0, 1), ...all] : all) }),
  reorder: () => ({ message: (all, i) => (i === FAULTY_MESSAGE ? [...all].reverse() : all) }),
  lag: (value) => ({ head: BigInt(value ?? 0) }),
  chain: (value) => ({ chainId: Number(value ?? 99) }),
};

/**
 * Serves the ledger as a Transaction Stream, with the faults of the script.
 * @param options `batchMax`: transactions of a message at most; as many as are asked for without it.
 */
export async function startReplayStream(
  served: ServedLedger,
  options: Pick<FakeStreamOptions, 'batchMax'> = {},
): Promise<FakeStream> {
  const stream = await startFakeStream(served.ledger, { port: served.port, ...options });
  const scripted = served.faults.map((fault) => ({
    ...fault,
    made: STREAM_FAULTS[fault.kind]?.(fault.value) ?? {},
  }));
  stream.rules.push(({ count }) => ({
    // Looked at each time that the stream has reached it.
    get head() {
      return served.head();
    },
    ...scripted.find(({ from, to }) => count >= from && count <= to)?.made,
  }));
  return stream;
}
