// JSON-RPC server for the synthetic chain. Loopback only. Responses are serialised once, at start.
//   node rpcServer.mjs --events 200000 --port 8545 --latency 0 --max-range 10000 --max-results 20000
// GET /stats prints the number of requests served per method; GET /expected the expected state.
import http from 'node:http';
import { parseArgs } from 'node:util';
import { createChain, CHAIN_ID, COLLECTION, MARKETPLACE } from './chain.mjs';

const { values: opt } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '8545' },
    latency: { type: 'string', default: '0' },
    'max-range': { type: 'string', default: '10000' },
    'max-results': { type: 'string', default: '20000' },
    'noise-tx': { type: 'string', default: '0' },
  },
});
const LATENCY = Number(opt.latency);
const MAX_RANGE = Number(opt['max-range']);
const MAX_RESULTS = Number(opt['max-results']);
const NOISE = Number(opt['noise-tx']);

const chain = createChain({ events: Number(opt.events), seed: Number(opt.seed) });
const { blocks, logs } = chain;
const head = blocks.length - 1;
const hex = (n) => '0x' + n.toString(16);
const EMPTY32 = '0x' + '0'.repeat(64);
const FILL = 'ab'.repeat(96);

const q = (s) => `"${s}"`;
const logJson = (l) =>
  `{"address":"${l.address}","topics":[${l.topics.map(q).join(',')}],"data":"${l.data}","blockNumber":"${hex(l.block)}","transactionHash":"${l.tx.hash}","transactionIndex":"${hex(l.tx.index)}","blockHash":"${blocks[l.block].hash}","logIndex":"${hex(l.logIndex)}","removed":false}`;
const txJson = (t, b) =>
  `{"blockHash":"${b.hash}","blockNumber":"${hex(b.number)}","from":"${t.from}","gas":"0x3d090","gasPrice":"0x3b9aca00","maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00","hash":"${t.hash}","input":"0xa9059cbb${FILL}","nonce":"${hex(b.number)}","to":"${t.to}","transactionIndex":"${hex(t.index)}","value":"0x0","type":"0x2","accessList":[],"chainId":"${hex(CHAIN_ID)}","v":"0x1","r":"${b.hash}","s":"${t.hash}","yParity":"0x1"}`;
// Optional unrelated transactions, to make a full block as large as on a busy chain.
const noiseHash = (b, i) => b.hash.slice(0, 58) + (i + 1).toString(16).padStart(8, '0');
const noiseTxs = (b) =>
  Array.from({ length: NOISE }, (_, i) => ({
    index: b.txs.length + i,
    from: COLLECTION,
    to: MARKETPLACE,
    hash: noiseHash(b, i),
    logs: 0,
  }));
const headerJson = (b) =>
  `"number":"${hex(b.number)}","hash":"${b.hash}","parentHash":"${b.parentHash}","nonce":"0x0000000000000000","sha3Uncles":"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347","logsBloom":"${b.bloom}","transactionsRoot":"${EMPTY32}","stateRoot":"${EMPTY32}","receiptsRoot":"${EMPTY32}","miner":"${MARKETPLACE}","difficulty":"0x0","totalDifficulty":"0x0","extraData":"0x","size":"0x${(800 + b.txs.length * 300).toString(16)}","gasLimit":"0x1c9c380","gasUsed":"${hex(b.txs.length * 90_000)}","timestamp":"${hex(b.timestamp)}","baseFeePerGas":"0x3b9aca00","mixHash":"${EMPTY32}","uncles":[]`;
const receiptJson = (t, b) => {
  const own = logsOfBlock(b).filter((l) => l.tx === t);
  return `{"blockHash":"${b.hash}","blockNumber":"${hex(b.number)}","contractAddress":null,"cumulativeGasUsed":"${hex((t.index + 1) * 90_000)}","effectiveGasPrice":"0x3b9aca00","from":"${t.from}","gasUsed":"0x15f90","logs":[${own.map(logJson).join(',')}],"logsBloom":"${b.bloom}","status":"0x1","to":"${t.to}","transactionHash":"${t.hash}","transactionIndex":"${hex(t.index)}","type":"0x2"}`;
};
const logsOfBlock = (b) => logs.slice(b.firstLog, b.firstLog + b.logCount);

// ---- serialise once
const t0 = Date.now();
const logText = logs.map(logJson);
const blockLogs = blocks.map((b) => logText.slice(b.firstLog, b.firstLog + b.logCount).join(','));
const fullBlock = new Array(blocks.length);
const getFull = (b) =>
  (fullBlock[b.number] ??= Buffer.from(
    `{${headerJson(b)},"transactions":[${[...b.txs, ...noiseTxs(b)].map((t) => txJson(t, b)).join(',')}]}`,
  ));
if (NOISE === 0) for (const b of blocks) getFull(b);
const slimBlock = (b) =>
  `{${headerJson(b)},"transactions":[${[...b.txs, ...noiseTxs(b)].map((t) => q(t.hash)).join(',')}]}`;
const byHash = new Map(blocks.map((b) => [b.hash, b]));
const txByHash = new Map();
for (const b of blocks) for (const t of b.txs) txByHash.set(t.hash, [t, b]);

const served = {};
let bytes = 0;
let httpRequests = 0;

class RpcError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const toNum = (tag) => {
  if (tag === 'latest' || tag === 'pending' || tag === undefined || tag === null) return head;
  if (tag === 'finalized') return head - 64;
  if (tag === 'safe') return head - 32;
  if (tag === 'earliest') return 0;
  return Number(tag);
};

const lower = (x) => (Array.isArray(x) ? x : [x]).map((s) => s.toLowerCase());

function getLogs(f = {}) {
  let from, to;
  if (f.blockHash) {
    const b = byHash.get(f.blockHash.toLowerCase());
    if (!b) throw new RpcError(-32000, 'unknown block');
    from = to = b.number;
  } else {
    from = toNum(f.fromBlock);
    to = Math.min(toNum(f.toBlock), head);
    if (to - from + 1 > MAX_RANGE) {
      throw new RpcError(-32005, `query exceeds max block range ${MAX_RANGE}`);
    }
  }
  const addresses = f.address === undefined || f.address === null ? null : new Set(lower(f.address));
  if (addresses && addresses.size === 0) return '[]';
  const topics = (f.topics ?? []).map((t) =>
    t === null || t === undefined || (Array.isArray(t) && t.length === 0) ? null : new Set(lower(t)),
  );
  const all =
    (!addresses || (addresses.has(COLLECTION) && addresses.has(MARKETPLACE))) &&
    topics.every((t) => t === null);
  const out = [];
  let count = 0;
  for (let n = Math.max(from, 0); n <= to; n++) {
    const b = blocks[n];
    if (b.logCount === 0) continue;
    if (all) {
      out.push(blockLogs[n]);
      count += b.logCount;
    } else {
      for (let i = b.firstLog; i < b.firstLog + b.logCount; i++) {
        const l = logs[i];
        if (addresses && !addresses.has(l.address)) continue;
        let ok = true;
        for (let k = 0; k < topics.length; k++) {
          if (topics[k] !== null && (l.topics[k] === undefined || !topics[k].has(l.topics[k]))) {
            ok = false;
            break;
          }
        }
        if (!ok) continue;
        out.push(logText[i]);
        count++;
      }
    }
    if (count > MAX_RESULTS && !f.blockHash) {
      const suggest = Math.max(from, n - 1);
      throw new RpcError(
        -32005,
        `query returned more than ${MAX_RESULTS} results. Try with this block range [${hex(from)}, ${hex(suggest)}].`,
      );
    }
  }
  return `[${out.join(',')}]`;
}

/** Returns the JSON text (or Buffer) of the result. */
function handle(method, params) {
  switch (method) {
    case 'eth_chainId':
      return q(hex(CHAIN_ID));
    case 'net_version':
      return q(String(CHAIN_ID));
    case 'web3_clientVersion':
      return q('bench/1');
    case 'eth_syncing':
      return 'false';
    case 'eth_blockNumber':
      return q(hex(head));
    case 'eth_getBlockByNumber': {
      const b = blocks[toNum(params[0])];
      return b ? (params[1] ? getFull(b) : slimBlock(b)) : 'null';
    }
    case 'eth_getBlockByHash': {
      const b = byHash.get(params[0].toLowerCase());
      return b ? (params[1] ? getFull(b) : slimBlock(b)) : 'null';
    }
    case 'eth_getLogs':
      return getLogs(params[0]);
    case 'eth_getTransactionByHash': {
      const x = txByHash.get(params[0].toLowerCase());
      return x ? txJson(...x) : 'null';
    }
    case 'eth_getTransactionReceipt': {
      const x = txByHash.get(params[0].toLowerCase());
      return x ? receiptJson(...x) : 'null';
    }
    case 'eth_getBlockReceipts': {
      const p = params[0];
      const b = typeof p === 'string' && p.length === 66 ? byHash.get(p.toLowerCase()) : blocks[toNum(p)];
      return b ? `[${b.txs.map((t) => receiptJson(t, b)).join(',')}]` : 'null';
    }
    case 'eth_call':
      return '"0x"';
    default:
      throw new RpcError(-32601, `the method ${method} does not exist/is not available`);
  }
}

function answer(req) {
  served[req.method] = (served[req.method] ?? 0) + 1;
  const id = JSON.stringify(req.id ?? null);
  try {
    const r = handle(req.method, req.params ?? []);
    const prefix = `{"jsonrpc":"2.0","id":${id},"result":`;
    return Buffer.isBuffer(r) ? [Buffer.from(prefix), r, CLOSE] : [Buffer.from(`${prefix}${r}}`)];
  } catch (e) {
    served[`${req.method}!error`] = (served[`${req.method}!error`] ?? 0) + 1;
    return [
      Buffer.from(
        `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code: e.code ?? -32603, message: e.message })}}`,
      ),
    ];
  }
}
const CLOSE = Buffer.from('}');
const OPEN_A = Buffer.from('['),
  COMMA = Buffer.from(','),
  CLOSE_A = Buffer.from(']');

const server = http.createServer({ keepAlive: true, keepAliveTimeout: 60_000 }, (req, res) => {
  if (req.method === 'GET') {
    const body =
      req.url === '/expected'
        ? chain.expected
        : { served, httpRequests, bytes, rssMb: (process.memoryUsage.rss() / 1e6) | 0 };
    if (req.url === '/stats?reset') {
      for (const k of Object.keys(served)) delete served[k];
      bytes = 0;
      httpRequests = 0;
    }
    res.end(JSON.stringify(body));
    return;
  }
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    httpRequests++;
    let parts;
    try {
      const body = JSON.parse(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
      if (Array.isArray(body)) {
        parts = [OPEN_A];
        body.forEach((r, i) => {
          if (i) parts.push(COMMA);
          parts.push(...answer(r));
        });
        parts.push(CLOSE_A);
      } else parts = answer(body);
    } catch {
      parts = [Buffer.from('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}')];
    }
    const send = () => {
      let n = 0;
      for (const p of parts) n += p.length;
      bytes += n;
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': n });
      res.end(parts.length === 1 ? parts[0] : Buffer.concat(parts, n));
    };
    if (LATENCY > 0) setTimeout(send, LATENCY);
    else send();
  });
});
server.listen(Number(opt.port), '127.0.0.1', () => {
  console.log(
    `ready port=${server.address().port} events=${logs.length} blocks=${blocks.length} head=${head} latency=${LATENCY} serialised_in=${Date.now() - t0}ms`,
  );
});
const stop = () => {
  console.log('served', JSON.stringify(served), 'bytes', bytes);
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
