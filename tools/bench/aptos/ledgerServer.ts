// The benchmark's ledger over REST or over gRPC: `ledgerServer --source rest|grpc --events N --transactions N` prints one line of
// JSON, where it is and how large its transactions are. SIGTERM ends it. All of the ledger is kept in memory, encoded.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { WireReader } from '../../../libs/chain-aptos/src/read/wire';
import { STREAM_METHOD } from '../../../libs/chain-aptos/src/source/streamEndpoint';
import { createHistory } from './history';
import { CHAIN_ID, createBenchLedger, type BenchLedger } from './ledger';

const PAGE_MAX = 100;
const MESSAGE_MAX = 1_000;

function serveRest(ledger: BenchLedger): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'x-aptos-chain-id': String(CHAIN_ID),
    'x-aptos-ledger-version': String(ledger.last),
    'x-aptos-ledger-oldest-version': String(ledger.first),
    'x-aptos-ledger-timestampusec': String(ledger.timeUs(ledger.last)),
  };
  const info = JSON.stringify({
    chain_id: CHAIN_ID,
    epoch: '10613',
    ledger_version: String(ledger.last),
    oldest_ledger_version: String(ledger.first),
    ledger_timestamp: String(ledger.timeUs(ledger.last)),
    node_role: 'full_node',
    oldest_block_height: '0',
    block_height: '1',
  });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://node');
    const answer = (status: number, body: Buffer | string): void =>
      void response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
    if (/^\/v1\/?$/.test(pathname)) return answer(200, info);
    const byVersion = /^\/v1\/transactions\/by_version\/(\d+)$/.exec(pathname)?.[1];
    if (byVersion === undefined && pathname !== '/v1/transactions') return answer(404, '{}');
    const start = Number(byVersion ?? searchParams.get('start'));
    if (start < ledger.first) return answer(410, '{"message":"pruned","error_code":"version_pruned"}');
    if (start > ledger.last)
      return answer(
        byVersion === undefined ? 400 : 404,
        '{"message":"higher than the ledger","error_code":"invalid_input"}',
      );
    if (byVersion !== undefined) return answer(200, ledger.page(start, 1).subarray(1, -1));
    const asked = Math.min(Number(searchParams.get('limit') ?? 25), PAGE_MAX);
    answer(200, ledger.page(start, Math.min(asked, ledger.last - start + 1)));
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

async function serveStream(ledger: BenchLedger): Promise<number> {
  const send = async (call: ServerWritableStream<Buffer, Buffer>): Promise<void> => {
    // Of what waits for room, one at a time; kept for the whole call.
    let goOn = (): void => undefined;
    for (const event of ['drain', 'cancelled']) call.on(event, () => goOn());
    let [next, size, last] = [0, MESSAGE_MAX, Number.POSITIVE_INFINITY];
    const reader = new WireReader(call.request);
    while (reader.next()) {
      if (reader.field === 1) next = reader.number();
      else if (reader.field === 2) last = next + reader.number() - 1;
      else if (reader.field === 3) size = Math.min(size, reader.number());
      else reader.skip();
    }
    for (const end = Math.min(last, ledger.last); next <= end && !call.cancelled; next += size) {
      const taken = call.write(ledger.message(next, Math.min(size, end - next + 1)));
      if (!taken) await new Promise<void>((resolve) => (goOn = resolve));
    }
    // One without an end stays open: nothing more comes.
    if (last <= ledger.last) call.end();
  };
  const server = new Server({ 'grpc.max_send_message_length': -1 });
  const pass = (bytes: Buffer): Buffer => bytes;
  const codec = {
    ...{ requestSerialize: pass, requestDeserialize: pass },
    ...{ responseSerialize: pass, responseDeserialize: pass },
  };
  server.addService(
    { getTransactions: { path: STREAM_METHOD, requestStream: false, responseStream: true, ...codec } },
    {
      getTransactions: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.on('error', () => undefined);
        void send(call);
      },
    },
  );
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { source: { type: 'string' }, events: { type: 'string' }, transactions: { type: 'string' } },
  });
  const ledger = createBenchLedger(createHistory(Number(values.events), Number(values.transactions)));
  const isStream = values.source === 'grpc';
  ledger.makeReady(isStream ? 'grpc' : 'rest');
  const port = await (isStream ? serveStream(ledger) : serveRest(ledger));
  console.log(
    JSON.stringify({
      url: `http://127.0.0.1:${port}`,
      first: ledger.first,
      last: ledger.last,
      bytes: ledger.bytes(),
    }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
