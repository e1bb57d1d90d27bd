// JSON-RPC server for the synthetic chain. Loopback only. Responses are serialised once, at start.
//   node rpcServer.mjs --events 200000 --port 8545 --latency 0 --max-range 10000 --max-results 20000
// GET /stats prints the number of requests served per method; GET /expected the expected state.
//
// With --live-blocks N --live-events E the chain first ends with its history, and grows when it is told to:
//   GET /grow?blocks=60&interval=1000&jitter=50   serves further blocks, one after the other; answers at once
//   GET /head?branch=1&number=212                 serves this block now, and ends growing; another branch than before is a reorg
//   GET /served                                   when each head was first there: { branch, number, atNs }
// Branches besides the main one (0) are given by --branch OFFSET:SEED: they fork above the block OFFSET after the history's
// last one. `atNs` is the machine's monotonic clock (process.hrtime), which is the same in every process; it is read
// immediately before the block can be had. Announcements (newHeads, over websocket) go out after that.
import http from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
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
    'live-blocks': { type: 'string', default: '0' },
    'live-events': { type: 'string', default: '30' },
    branch: { type: 'string', multiple: true, default: [] },
    'branch-blocks': { type: 'string', default: '10' },
    'no-ws': { type: 'boolean', default: false },
  },
});
const LATENCY = Number(opt.latency);
const MAX_RANGE = Number(opt['max-range']);
const MAX_RESULTS = Number(opt['max-results']);
const NOISE = Number(opt['noise-tx']);
const LIVE = Number(opt['live-blocks']);

const hex = (n) => '0x' + n.toString(16);
const EMPTY32 = '0x' + '0'.repeat(64);
const FILL = 'ab'.repeat(96);

const q = (s) => `"${s}"`;
const logJson = (l, blocks) =>
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
const slimBlock = (b) =>
  `{${headerJson(b)},"transactions":[${[...b.txs, ...noiseTxs(b)].map((t) => q(t.hash)).join(',')}]}`;

/** A chain, serialised. */
function createBranch(chain) {
  const { blocks, logs } = chain;
  const logText = logs.map((l) => logJson(l, blocks));
  const blockLogs = blocks.map((b) => logText.slice(b.firstLog, b.firstLog + b.logCount).join(','));
  const fullBlock = new Array(blocks.length);
  const getFull = (b) =>
    (fullBlock[b.number] ??= Buffer.from(
      `{${headerJson(b)},"transactions":[${[...b.txs, ...noiseTxs(b)].map((t) => txJson(t, b)).join(',')}]}`,
    ));
  if (NOISE === 0) for (const b of blocks) getFull(b);
  const byHash = new Map(blocks.map((b) => [b.hash, b]));
  const txByHash = new Map();
  for (const b of blocks) for (const t of b.txs) txByHash.set(t.hash, [t, b]);
  const logsOfBlock = (b) => logs.slice(b.firstLog, b.firstLog + b.logCount);
  const receiptJson = (t, b) => {
    const own = logsOfBlock(b).filter((l) => l.tx === t);
    return `{"blockHash":"${b.hash}","blockNumber":"${hex(b.number)}","contractAddress":null,"cumulativeGasUsed":"${hex((t.index + 1) * 90_000)}","effectiveGasPrice":"0x3b9aca00","from":"${t.from}","gasUsed":"0x15f90","logs":[${own.map((l) => logJson(l, blocks)).join(',')}],"logsBloom":"${b.bloom}","status":"0x1","to":"${t.to}","transactionHash":"${t.hash}","transactionIndex":"${hex(t.index)}","type":"0x2"}`;
  };
  return { blocks, logs, logText, blockLogs, getFull, byHash, txByHash, receiptJson };
}

// ---- serialise once
const t0 = Date.now();
const live = LIVE > 0 ? { live: { blocks: LIVE, events: Number(opt['live-events']) }, tail: 0 } : {};
const made = { events: Number(opt.events), seed: Number(opt.seed), ...live };
const chain = createChain(made);
const branches = [createBranch(chain)];
for (const fork of opt.branch) {
  const [offset, seed] = fork.split(':').map(Number);
  const above = chain.historyEnd + offset;
  const blocks = offset + Number(opt['branch-blocks']);
  branches.push(
    createBranch(createChain({ ...made, live: { ...live.live, blocks }, fork: { above, seed } })),
  );
}
/** What is served now. */
let { blocks, logs, logText, blockLogs, getFull, byHash, txByHash, receiptJson } = branches[0];
let branch = 0;
let head = LIVE > 0 ? chain.historyEnd : blocks.length - 1;

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
  if (tag === 'finalized') return Math.max(0, head - 64);
  if (tag === 'safe') return Math.max(0, head - 32);
  if (tag === 'earliest') return 0;
  return Number(tag);
};

const lower = (x) => (Array.isArray(x) ? x : [x]).map((s) => s.toLowerCase());

/** Blocks and transactions above the head are not there yet. */
const blockByHash = (hash) => {
  const b = byHash.get(hash.toLowerCase());
  return b !== undefined && b.number <= head ? b : undefined;
};
const txOf = (hash) => {
  const x = txByHash.get(hash.toLowerCase());
  return x !== undefined && x[1].number <= head ? x : undefined;
};

function getLogs(f = {}) {
  let from, to;
  if (f.blockHash) {
    const b = blockByHash(f.blockHash);
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
      const number = toNum(params[0]);
      const b = number > head ? undefined : blocks[number];
      return b ? (params[1] ? getFull(b) : slimBlock(b)) : 'null';
    }
    case 'eth_getBlockByHash': {
      const b = blockByHash(params[0]);
      return b ? (params[1] ? getFull(b) : slimBlock(b)) : 'null';
    }
    case 'eth_getLogs':
      return getLogs(params[0]);
    case 'eth_getTransactionByHash': {
      const x = txOf(params[0]);
      return x ? txJson(...x) : 'null';
    }
    case 'eth_getTransactionReceipt': {
      const x = txOf(params[0]);
      return x ? receiptJson(...x) : 'null';
    }
    case 'eth_getBlockReceipts': {
      const p = params[0];
      const number = toNum(p);
      const b =
        typeof p === 'string' && p.length === 66
          ? blockByHash(p)
          : number > head
            ? undefined
            : blocks[number];
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

// ---- the head grows, and moves to other branches
const heads = [];
const subscribed = new Set();
const announcement = (b) =>
  `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{${headerJson(b)}}}}`;

/** From now on this block of this branch is the head. */
function serve(toBranch, number) {
  const next = branches[toBranch];
  if (next === undefined || next.blocks[number] === undefined)
    throw new RangeError(`no block ${number} on branch ${toBranch}`);
  let above = head;
  while (above > 0 && (above > number || next.blocks[above].hash !== blocks[above].hash)) above--;
  // As a node does after a reorg: every block of the new branch is announced.
  const announced = next.blocks.slice(above + 1, number + 1).map(announcement);
  const atNs = process.hrtime.bigint();
  ({ blocks, logs, logText, blockLogs, getFull, byHash, txByHash, receiptJson } = next);
  branch = toBranch;
  head = number;
  for (const text of announced) for (const socket of subscribed) socket.send(text);
  heads.push({ branch, number, atNs: atNs.toString() });
}

/** Blocks one after the other. Their distances vary evenly within the jitter, lest they keep step with somebody's polls. */
let growing;
function grow(count, interval, jitter) {
  let at = performance.now();
  const first = heads.length;
  const next = () => {
    serve(branch, head + 1);
    const i = heads.length - first;
    if (i === count) return;
    at += interval;
    growing = setTimeout(next, at + jitter * (((i * 0.618034) % 1) * 2 - 1) - performance.now());
  };
  growing = setTimeout(next, interval);
}

function control(url) {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const number = (name) => Number(searchParams.get(name) ?? 0);
  switch (pathname) {
    case '/expected':
      return chain.expected;
    case '/served':
      return heads;
    case '/head':
      clearTimeout(growing);
      serve(number('branch'), number('number'));
      return heads.at(-1);
    case '/grow':
      grow(number('blocks'), number('interval'), number('jitter'));
      return {};
    default:
      return { served, httpRequests, bytes, rssMb: (process.memoryUsage.rss() / 1e6) | 0 };
  }
}

const server = http.createServer({ keepAlive: true, keepAliveTimeout: 60_000 }, (req, res) => {
  if (req.method === 'GET') {
    const body = control(req.url);
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
if (!opt['no-ws']) {
  new WebSocketServer({ server, path: '/heads' }).on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data));
      if (method !== 'eth_subscribe') return;
      socket.send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":"0x1"}`);
      subscribed.add(socket);
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => subscribed.delete(socket));
  });
}
server.listen(Number(opt.port), '127.0.0.1', () => {
  console.log(
    `ready port=${server.address().port} historyEnd=${chain.historyEnd} events=${logs.length} blocks=${blocks.length} head=${head} latency=${LATENCY} serialised_in=${Date.now() - t0}ms`,
  );
});
const stop = () => {
  console.log('served', JSON.stringify(served), 'bytes', bytes);
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
