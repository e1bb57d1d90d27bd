// The least that any reader of the ledger does: fetch and parse, with the worker's own client. `floor --source rest|grpc --url URL
// --from N --to N` prints one line of JSON: transactions and events read, the seconds they took, and the peak RSS.
import { parseArgs } from 'node:util';
import { RPC_POOL_DEFAULTS } from '@imart/endpoints';
import {
  APTOS_REST_DEFAULTS,
  APTOS_STREAM_DEFAULTS,
  createRestSource,
  createStreamSource,
} from '@imart/chain-aptos';
import { waitMs } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import { CHAIN_ID } from './ledger';

async function main(): Promise<void> {
  const text = { type: 'string', default: '' } as const;
  const { values } = parseArgs({ options: { source: text, url: text, from: text, to: text } });
  const common = {
    ...RPC_POOL_DEFAULTS,
    subjectId: 'floor',
    urls: [values.url],
    chainId: CHAIN_ID,
    apiKey: null,
    logger: silentLogger,
    random: Math.random,
    now: () => Date.now(),
    wait: waitMs,
  };
  const source =
    values.source === 'grpc'
      ? createStreamSource({ ...APTOS_STREAM_DEFAULTS, ...common })
      : createRestSource({ ...APTOS_REST_DEFAULTS, ...common });
  const started = performance.now();
  let [transactions, events] = [0, 0];
  const reading = { from: BigInt(values.from), after: null, to: BigInt(values.to) };
  for await (const item of source.read(reading, new AbortController().signal)) {
    if (item.kind !== 'batch') continue;
    transactions += item.transactions.length;
    for (const transaction of item.transactions) events += transaction.events.length;
  }
  source.close();
  const seconds = (performance.now() - started) / 1_000;
  const rssMb = process.resourceUsage().maxRSS / 1_024;
  console.log(JSON.stringify({ transactions, events, seconds, rssMb }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
