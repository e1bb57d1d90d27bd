// A deterministic synthetic EVM chain with an NFT collection and a marketplace.
// The same options always give byte-identical blocks, logs and expected state.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { getBytes, id, keccak256 } from 'ethers';

export const CHAIN_ID = 1;
export const BLOCK_TIME = 12;
export const GENESIS_TIME = 1_700_000_000;
export const ZERO = '0x' + '0'.repeat(40);

export const ABI = [
  'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
  'event Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
  'event Sold(uint256 indexed orderId, address indexed buyer, uint256 price)',
  'event Delisted(uint256 indexed orderId)',
  'event OfferCreated(uint256 indexed offerId, address indexed collection, uint256 indexed tokenId, address bidder, uint256 price, uint64 expiresAt)',
  'event OfferAccepted(uint256 indexed offerId, address indexed seller)',
  'event OfferCanceled(uint256 indexed offerId)',
];

const sigHash = (signature) => id(signature);
export const TOPIC = {
  Transfer: sigHash('Transfer(address,address,uint256)'),
  Listed: sigHash('Listed(uint256,address,uint256,address,uint256,uint64)'),
  Sold: sigHash('Sold(uint256,address,uint256)'),
  Delisted: sigHash('Delisted(uint256)'),
  OfferCreated: sigHash('OfferCreated(uint256,address,uint256,address,uint256,uint64)'),
  OfferAccepted: sigHash('OfferAccepted(uint256,address)'),
  OfferCanceled: sigHash('OfferCanceled(uint256)'),
};

const sha = (s) => createHash('sha256').update(s).digest('hex');
const addr = (s) => '0x' + sha(s).slice(0, 40);
export const COLLECTION = addr('bench:collection');
export const MARKETPLACE = addr('bench:marketplace');

/** sfc32: small, fast, good enough, and the same on every machine. */
function prng(seed) {
  let a = 0x9e3779b9,
    b = 0x243f6a88,
    c = 0xb7e15162,
    d = seed | 0;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return { u32: next, below: (n) => next() % n, unit: () => next() / 4294967296 };
}

const word = (v) => BigInt(v).toString(16).padStart(64, '0');
const wAddr = (a) => '0'.repeat(24) + a.slice(2);
const tNum = (v) => '0x' + word(v);
const tAddr = (a) => '0x' + wAddr(a);

/** Array with O(1) random pick and removal. */
class Bag {
  list = [];
  at = new Map();
  get size() {
    return this.list.length;
  }
  add(x) {
    this.at.set(x, this.list.length);
    this.list.push(x);
  }
  has(x) {
    return this.at.has(x);
  }
  delete(x) {
    const i = this.at.get(x);
    if (i === undefined) return;
    const last = this.list.pop();
    if (last !== x) {
      this.list[i] = last;
      this.at.set(last, i);
    }
    this.at.delete(x);
  }
  pick(r) {
    return this.list[r.below(this.list.length)];
  }
}

/**
 * After the first `events` come, when `live` is given, `live.blocks` blocks of exactly `live.events` events each. With
 * `fork`, the blocks above `fork.above` are others: the same history told on by another seed, as on a branch of the chain.
 *
 * @returns {{ blocks: Block[], logs: Log[], expected: Expected, options }}
 * `logs` are flat and ordered; each log has kind + decoded args beside the raw form. `historyEnd` is the last block before
 * the live ones.
 */
export function createChain(opts = {}) {
  const o = {
    events: 200_000,
    seed: 1,
    perBlock: 10,
    users: 5_000,
    tail: 256,
    bloom: true,
    live: null,
    fork: null,
    ...opts,
  };
  let r = prng(o.seed);
  /** Of the branch that the current block is on: part of its hashes. */
  let seed = o.seed;
  /** How many more events the current block takes. */
  let room = Infinity;
  const users = Array.from({ length: o.users }, (_, i) => addr(`bench:user:${i}`));
  const user = () => users[r.below(users.length)];
  const otherThan = (a) => {
    let u = user();
    while (u === a) u = user();
    return u;
  };
  const price = () => BigInt(1 + r.below(5_000_000)) * 1_000_000_000_000n + BigInt(r.below(1_000_000_000));

  const tokens = []; // { id, owner, listing, offers:Set, transferCount, lastSalePrice, mintedAt }
  const orders = []; // index = orderId - 1
  const offers = [];
  const activeOrders = new Bag();
  const activeOffers = new Bag();
  let volume = 0n;
  let eventCount = 0;

  const blocks = [];
  const logs = [];
  let block, ts, txs;

  // ---- event emitters: each pushes one log into the current transaction
  let tx;
  const begin = (from, to) => {
    tx = { index: txs.length, from, to, logs: 0 };
    tx.hash = '0x' + sha(`bench:${seed}:tx:${block.number}:${tx.index}`);
    txs.push(tx);
  };
  const emit = (kind, address, topics, data, args) => {
    logs.push({
      kind,
      address,
      topics,
      data,
      args,
      block: block.number,
      timestamp: ts,
      tx,
      logIndex: block.logCount++,
    });
    tx.logs++;
    eventCount++;
    room--;
  };
  const transfer = (t, to) => {
    const from = t.owner;
    emit('Transfer', COLLECTION, [TOPIC.Transfer, tAddr(from), tAddr(to), tNum(t.id)], '0x', {
      from,
      to,
      tokenId: t.id,
    });
    if (from === ZERO) t.mintedAt = ts;
    else t.transferCount++;
    t.owner = to;
  };
  const mint = () => {
    const t = {
      id: tokens.length + 1,
      owner: ZERO,
      listing: 0,
      transferCount: 0,
      lastSalePrice: null,
      mintedAt: 0,
    };
    tokens.push(t);
    const to = user();
    begin(to, COLLECTION);
    transfer(t, to);
  };
  const list = (t) => {
    const p = price();
    const expiresAt = ts + 86_400 * (7 + r.below(170));
    const id = orders.length + 1;
    const ord = {
      id,
      tokenId: t.id,
      seller: t.owner,
      price: p,
      expiresAt,
      status: 'active',
      buyer: null,
      createdAt: ts,
      updatedAt: ts,
    };
    orders.push(ord);
    activeOrders.add(id);
    t.listing = id;
    begin(t.owner, MARKETPLACE);
    emit(
      'Listed',
      MARKETPLACE,
      [TOPIC.Listed, tNum(id), tAddr(COLLECTION), tNum(t.id)],
      '0x' + wAddr(ord.seller) + word(p) + word(expiresAt),
      { orderId: id, collection: COLLECTION, tokenId: t.id, seller: ord.seller, price: p, expiresAt },
    );
  };
  const closeOrder = (ord, status, buyer) => {
    ord.status = status;
    ord.buyer = buyer;
    ord.updatedAt = ts;
    activeOrders.delete(ord.id);
    tokens[ord.tokenId - 1].listing = 0;
  };
  const emitDelisted = (ord) => {
    emit('Delisted', MARKETPLACE, [TOPIC.Delisted, tNum(ord.id)], '0x', { orderId: ord.id });
    closeOrder(ord, 'canceled', null);
  };
  const buy = () => {
    const ord = orders[activeOrders.pick(r) - 1];
    const t = tokens[ord.tokenId - 1];
    const buyer = otherThan(ord.seller);
    begin(buyer, MARKETPLACE);
    emit('Sold', MARKETPLACE, [TOPIC.Sold, tNum(ord.id), tAddr(buyer)], '0x' + word(ord.price), {
      orderId: ord.id,
      buyer,
      price: ord.price,
    });
    closeOrder(ord, 'sold', buyer);
    t.lastSalePrice = ord.price;
    volume += ord.price;
    transfer(t, buyer);
  };
  const delist = () => {
    const ord = orders[activeOrders.pick(r) - 1];
    begin(ord.seller, MARKETPLACE);
    emitDelisted(ord);
  };
  const offer = (t) => {
    const p = price();
    const expiresAt = ts + 86_400 * (7 + r.below(170));
    const id = offers.length + 1;
    const bidder = otherThan(t.owner);
    offers.push({
      id,
      tokenId: t.id,
      bidder,
      price: p,
      expiresAt,
      status: 'active',
      seller: null,
      createdAt: ts,
      updatedAt: ts,
    });
    activeOffers.add(id);
    begin(bidder, MARKETPLACE);
    emit(
      'OfferCreated',
      MARKETPLACE,
      [TOPIC.OfferCreated, tNum(id), tAddr(COLLECTION), tNum(t.id)],
      '0x' + wAddr(bidder) + word(p) + word(expiresAt),
      { offerId: id, collection: COLLECTION, tokenId: t.id, bidder, price: p, expiresAt },
    );
  };
  const accept = () => {
    const of = offers[activeOffers.pick(r) - 1];
    const t = tokens[of.tokenId - 1];
    if (t.owner === of.bidder) return cancel(of); // bidder bought the token meanwhile
    const seller = t.owner;
    begin(seller, MARKETPLACE);
    if (t.listing) emitDelisted(orders[t.listing - 1]);
    emit('OfferAccepted', MARKETPLACE, [TOPIC.OfferAccepted, tNum(of.id), tAddr(seller)], '0x', {
      offerId: of.id,
      seller,
    });
    of.status = 'accepted';
    of.seller = seller;
    of.updatedAt = ts;
    activeOffers.delete(of.id);
    t.lastSalePrice = of.price;
    volume += of.price;
    transfer(t, of.bidder);
  };
  const cancel = (of = offers[activeOffers.pick(r) - 1]) => {
    begin(of.bidder, MARKETPLACE);
    emit('OfferCanceled', MARKETPLACE, [TOPIC.OfferCanceled, tNum(of.id)], '0x', { offerId: of.id });
    of.status = 'canceled';
    of.updatedAt = ts;
    activeOffers.delete(of.id);
  };
  const gift = (t) => {
    begin(t.owner, COLLECTION);
    transfer(t, otherThan(t.owner));
  };

  const step = () => {
    const left = room === Infinity ? o.events - eventCount : Infinity;
    if (tokens.length < 50 || left < 4) return mint();
    const x = r.unit();
    const t = tokens[r.below(tokens.length)];
    if (x < 0.2) return mint();
    if (x < 0.5) return t.listing ? mint() : list(t);
    if (x < 0.66) return activeOrders.size > 20 && room >= 2 ? buy() : mint();
    if (x < 0.73) return activeOrders.size > 20 ? delist() : mint();
    if (x < 0.89) return offer(t);
    if (x < 0.935) return activeOffers.size > 20 && room >= 3 ? accept() : offer(t);
    if (x < 0.975) return activeOffers.size > 20 ? cancel() : offer(t);
    return t.listing ? delist() : gift(t);
  };

  const bloomOf = o.bloom ? bloomMaker() : () => '0x' + '0'.repeat(512);
  const seal = () => {
    block.txs = txs;
    block.firstLog = logs.length - block.logCount;
    block.bloom = block.logCount ? bloomOf(logs, block.firstLog) : '0x' + '0'.repeat(512);
    blocks.push(block);
  };
  const open = (number) => {
    if (number === o.fork?.above + 1) {
      seed = o.fork.seed;
      r = prng(seed);
    }
    ts = GENESIS_TIME + number * BLOCK_TIME;
    txs = [];
    block = {
      number,
      timestamp: ts,
      logCount: 0,
      hash: '0x' + sha(`bench:${seed}:block:${number}`),
      parentHash: number === 0 ? '0x' + '0'.repeat(64) : blocks[number - 1].hash,
    };
  };

  open(0);
  seal();
  while (eventCount < o.events) {
    open(blocks.length);
    const target = Math.max(1, Math.round(o.perBlock / 2) + r.below(o.perBlock + 1));
    while (block.logCount < target && eventCount < o.events) step();
    seal();
  }
  const historyEnd = blocks.length - 1;
  for (let i = 0; i < (o.live?.blocks ?? 0); i++) {
    open(blocks.length);
    room = o.live.events;
    while (room > 0) step();
    seal();
  }
  const lastEventBlock = blocks.length - 1;
  for (let i = 0; i < o.tail; i++) {
    open(blocks.length);
    seal();
  }

  const byKind = {};
  for (const l of logs) byKind[l.kind] = (byKind[l.kind] ?? 0) + 1;
  return {
    options: o,
    blocks,
    logs,
    historyEnd,
    lastEventBlock,
    state: { orders, offers, tokens },
    expected: expectedState({ orders, offers, tokens, logs, volume, byKind, lastEventBlock }),
  };
}

function bloomMaker() {
  const cache = new Map();
  const bits = (hex) => {
    let b = cache.get(hex);
    if (b) return b;
    const h = getBytes(keccak256(hex));
    b = [0, 2, 4].map((i) => ((h[i] << 8) | h[i + 1]) & 2047);
    cache.set(hex, b);
    if (cache.size > 400_000) cache.clear();
    return b;
  };
  return (logs, from) => {
    const bloom = Buffer.alloc(256);
    for (let i = from; i < logs.length; i++) {
      for (const hex of [logs[i].address, ...logs[i].topics]) {
        for (const bit of bits(hex)) bloom[255 - (bit >> 3)] |= 1 << (bit & 7);
      }
    }
    return '0x' + bloom.toString('hex');
  };
}

// ------------------------------------------------------------ expected state

/** Canonical row text, the same for the generator and for any database. */
const line = (...xs) =>
  xs.map((x) => (x === null || x === undefined ? '-' : String(x).toLowerCase())).join('|');
export const canonical = {
  order: (x) =>
    line(
      x.id,
      x.collection,
      x.token_id,
      x.seller,
      x.price,
      x.expires_at,
      x.status,
      x.buyer,
      x.created_at,
      x.updated_at,
    ),
  offer: (x) =>
    line(
      x.id,
      x.collection,
      x.token_id,
      x.bidder,
      x.price,
      x.expires_at,
      x.status,
      x.seller,
      x.created_at,
      x.updated_at,
    ),
  token: (x) => line(x.collection, x.token_id, x.owner, x.minted_at, x.transfer_count, x.last_sale_price),
  activity: (x) =>
    line(
      x.block_number,
      x.log_index,
      x.kind,
      x.collection,
      x.token_id,
      x.from_address,
      x.to_address,
      x.price,
      x.tx_hash,
      x.timestamp,
    ),
};

/** What an activity row holds for each event. Sold/Delisted/Offer* resolve through the order or offer. */
export function activityOf(log, orders, offers) {
  const a = log.args;
  const base = {
    block_number: log.block,
    log_index: log.logIndex,
    collection: COLLECTION,
    tx_hash: log.tx.hash,
    timestamp: log.timestamp,
  };
  const ord = a.orderId ? orders[a.orderId - 1] : null;
  const of = a.offerId ? offers[a.offerId - 1] : null;
  switch (log.kind) {
    case 'Transfer':
      return {
        ...base,
        kind: a.from === ZERO ? 'mint' : 'transfer',
        token_id: a.tokenId,
        from_address: a.from,
        to_address: a.to,
        price: null,
      };
    case 'Listed':
      return {
        ...base,
        kind: 'list',
        token_id: a.tokenId,
        from_address: a.seller,
        to_address: null,
        price: a.price,
      };
    case 'Sold':
      return {
        ...base,
        kind: 'sale',
        token_id: ord.tokenId,
        from_address: ord.seller,
        to_address: a.buyer,
        price: a.price,
      };
    case 'Delisted':
      return {
        ...base,
        kind: 'delist',
        token_id: ord.tokenId,
        from_address: ord.seller,
        to_address: null,
        price: ord.price,
      };
    case 'OfferCreated':
      return {
        ...base,
        kind: 'offer',
        token_id: a.tokenId,
        from_address: a.bidder,
        to_address: null,
        price: a.price,
      };
    case 'OfferAccepted':
      return {
        ...base,
        kind: 'offer_accept',
        token_id: of.tokenId,
        from_address: a.seller,
        to_address: of.bidder,
        price: of.price,
      };
    case 'OfferCanceled':
      return {
        ...base,
        kind: 'offer_cancel',
        token_id: of.tokenId,
        from_address: of.bidder,
        to_address: null,
        price: of.price,
      };
  }
}

export function orderRow(x) {
  return {
    id: x.id,
    collection: COLLECTION,
    token_id: x.tokenId,
    seller: x.seller,
    price: x.price,
    expires_at: x.expiresAt,
    status: x.status,
    buyer: x.buyer,
    created_at: x.createdAt,
    updated_at: x.updatedAt,
  };
}
export function offerRow(x) {
  return {
    id: x.id,
    collection: COLLECTION,
    token_id: x.tokenId,
    bidder: x.bidder,
    price: x.price,
    expires_at: x.expiresAt,
    status: x.status,
    seller: x.seller,
    created_at: x.createdAt,
    updated_at: x.updatedAt,
  };
}
export function tokenRow(x) {
  return {
    collection: COLLECTION,
    token_id: x.id,
    owner: x.owner,
    minted_at: x.mintedAt,
    transfer_count: x.transferCount,
    last_sale_price: x.lastSalePrice,
  };
}

const tally = (rows) => rows.reduce((m, x) => ((m[x.status] = (m[x.status] ?? 0) + 1), m), {});

export class Checksum {
  hash = createHash('sha256');
  count = 0;
  add(text) {
    this.hash.update(text + '\n');
    this.count++;
  }
  end() {
    return this.hash.digest('hex');
  }
}

function expectedState({ orders, offers, tokens, logs, volume, byKind, lastEventBlock }) {
  const sum = (kind, rows) => {
    const c = new Checksum();
    for (const x of rows) c.add(canonical[kind](x));
    return c.end();
  };
  const owners = new Set(tokens.map((t) => t.owner));
  return {
    events: logs.length,
    lastEventBlock,
    byKind,
    orders: { count: orders.length, ...tally(orders) },
    offers: { count: offers.length, ...tally(offers) },
    tokens: { count: tokens.length, owners: owners.size },
    activities: logs.length,
    volume: volume.toString(),
    checksum: {
      order: sum('order', orders.map(orderRow)),
      offer: sum('offer', offers.map(offerRow)),
      token: sum('token', tokens.map(tokenRow)),
      activity: sum(
        'activity',
        logs.map((l) => activityOf(l, orders, offers)),
      ),
    },
  };
}

if (process.argv[1]?.endsWith('/chain.mjs') === true) {
  const { values } = parseArgs({ options: { events: { type: 'string' }, seed: { type: 'string' } } });
  const t = process.hrtime.bigint();
  const c = createChain({ events: Number(values.events ?? 200_000), seed: Number(values.seed ?? 1) });
  console.log(JSON.stringify(c.expected, null, 2));
  console.error(
    `blocks ${c.blocks.length}, txs ${c.blocks.reduce((n, b) => n + b.txs.length, 0)}, generated in ${(Number(process.hrtime.bigint() - t) / 1e6) | 0} ms`,
  );
}
