import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { marketReducers } from '@imart/market';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { runTraffic, startDevnet, type Devnet, type Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import { startLyingProxy } from './lyingProxy';
import { chainOf, createMarket, executedReaches, settingsFor, type Chain, type Market } from './market';
import { compareWithExpected } from './storedTables';

/*
 * The command against a chain, a worker's tables, and what somebody did to them behind its back.
 */

/** Blocks without traffic at the end: most of the chain is final. */
const EMPTY_BLOCKS = 70;

describe('imart verify', () => {
  let market: Market;
  let server: TestServer;
  let devnet: Devnet;
  let chain: Chain;
  let expected: Expected;
  /** The tables of an undisturbed run; each test works on a copy. */
  let straight: { url: string; tables: Readonly<Record<string, string>> };

  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
    devnet = await startDevnet();
    expected = await runTraffic(devnet, { seed: 8, actions: 400, perBlock: 8 });
    for (let i = 0; i < EMPTY_BLOCKS; i++) await devnet.mine();
    chain = chainOf(devnet);
    const { url } = await server.createDatabase();
    await market.runWorker(chain, url, expected);
    straight = { url, tables: await dump(url) };
  });
  afterAll(async () => {
    await market?.close();
    await devnet?.stop();
    await server?.stop();
  });

  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  /** A copy of the undisturbed tables. */
  const copy = async (): Promise<string> => {
    const { url } = await server.createDatabase();
    await query(server.adminUrl, `DROP DATABASE "${nameOf(url)}"`);
    await query(server.adminUrl, `CREATE DATABASE "${nameOf(url)}" TEMPLATE "${nameOf(straight.url)}"`);
    return url;
  };
  const verify = async (
    url: string,
    args: readonly string[] = [],
    more: Readonly<Record<string, string | number>> = {},
  ): Promise<{ code: number | null; said: string }> => {
    const program = market.start('imart', ['verify', ...args], { ...settingsFor(chain, url), ...more });
    const { code } = await program.ended;
    return { code, said: program.said() };
  };

  it('finds no difference in the tables of an undisturbed run, block by logs or whole', async () => {
    for (const args of [[], ['--whole']]) {
      const { code, said } = await verify(straight.url, args);
      expect(said).toMatch(/compared; no difference\n$/);
      expect(code).toBe(0);
    }
    expect(await dump(straight.url)).toEqual(straight.tables);
  });

  const newest = (table: string): string => `(SELECT ctid FROM ${table} ORDER BY seq_no DESC LIMIT 1)`;
  it.each<[string, string, RegExp]>([
    [
      'a changed state row',
      `UPDATE orders SET price = 777 WHERE ctid = ${newest('orders')}`,
      /^orders \S+ of order\/\S+: different$\n^ {2}price {2}stored {5}777$\n^ +should be {2}\d+$/m,
    ],
    [
      'a missing state row',
      `DELETE FROM tokens WHERE ctid = ${newest('tokens')}`,
      /^tokens \S+ of token\/\S+: missing$/m,
    ],
    [
      'an extra state row',
      `INSERT INTO balances SELECT * FROM json_populate_record((SELECT b FROM balances b LIMIT 1), '{"owner":"0x0000000000000000000000000000000000000001"}')`,
      /^balances \S+ of balance\/\S+: extra$/m,
    ],
    [
      'a changed activity',
      `UPDATE activities SET price = 777 WHERE ctid = (SELECT ctid FROM activities WHERE kind = 'SALE' LIMIT 1)`,
      /^activities \d+:\d+ of \S+: different$/m,
    ],
    [
      'a missing activity',
      `DELETE FROM activities WHERE ctid = ${newest('activities')}`,
      /^activities \d+:\d+ of \S+: missing$/m,
    ],
    [
      'an activity of no event',
      `INSERT INTO activities SELECT * FROM json_populate_record((SELECT a FROM activities a LIMIT 1), '{"seq_no": 12345678901}')`,
      /^activity \d of block 5, log \d+, part \d+ \(seq no 12345678901\): extra, there is no such event$/m,
    ],
    [
      'a snapshot that the events do not make',
      `INSERT INTO snapshots (subject, aggregate_hash, aggregate_type, aggregate_id, seq_no, reducer_version, version, state)
       SELECT subject, aggregate_hash, aggregate_type, aggregate_id, seq_no, ${marketReducers.get('order')?.version}, 99,
         json_build_object('seqNo', json_build_object('$n', seq_no::text), 'version', 99) FROM event_log
       WHERE aggregate_type = 'order' ORDER BY seq_no DESC LIMIT 1`,
      /^snapshots \S+ of order\/\S+: extra$/m,
    ],
    [
      'a marker of an event that there is not',
      `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
       SELECT subject, aggregate_type, aggregate_id, seq_no - 1, 'TEST', 'by a test' FROM event_log ORDER BY seq_no DESC LIMIT 1`,
      /^park_markers \S+ of \S+: extra$/m,
    ],
    [
      'a deleted event (P2)',
      `DELETE FROM event_log WHERE ctid = (SELECT ctid FROM event_log WHERE name = 'TokenTransferred' LIMIT 1)`,
      /^block \d+, log \d+ \(seq no \d+\): missing$\n^ {2}event {2}stored {5}-$\n^ +should be {2}TokenTransferred of token/m,
    ],
    [
      'an event that is not in the chain',
      `INSERT INTO event_log SELECT (json_populate_record(e, json_build_object('seq_no', e.seq_no + 1))).* FROM event_log e WHERE name = 'OrderListed' LIMIT 1`,
      /^block \d+, log \d+, part 1 \(seq no \d+\): extra$/m,
    ],
    [
      'a changed event',
      `UPDATE event_log SET tx_hash = decode(repeat('ab', 32), 'hex') WHERE ctid = ${newest('event_log')}`,
      /^block \d+, log \d+ .*: different$\n^ {2}transaction {2}stored {5}0x(ab){32}$/m,
    ],
    [
      'an event whose hash is of another content',
      `UPDATE event_log SET content_hash = decode(repeat('00', 16), 'hex') WHERE ctid = ${newest('event_log')}`,
      /^block \d+, log \d+ .*: different$\n^ {2}hash {2}stored {5}of another content$/m,
    ],
    [
      'a forgotten collection',
      'DELETE FROM discovered_contracts WHERE ctid = (SELECT ctid FROM discovered_contracts LIMIT 1)',
      /^contract 0x\w{40} \(erc\d+\): missing$/m,
    ],
  ])('finds %s, mends it, and finds nothing then', async (_what, tamper, told) => {
    const url = await copy();
    await query(url, tamper);
    const found = await verify(url);
    expect(found.said).toMatch(told);
    expect(found.code).toBe(1);
    const repaired = await verify(url, ['--repair']);
    expect(repaired.said).toMatch(/ \(mended\)$/m);
    expect(repaired.said).toMatch(/(\d+) differences?, \1 mended/);
    expect(repaired.code).toBe(0);
    const after = await verify(url);
    expect(after.said).toMatch(/no difference/);
    expect(after.code).toBe(0);
    const { park_markers: _markers, ...tables } = await dump(url);
    expect(tables).toEqual(
      Object.fromEntries(Object.entries(straight.tables).filter(([t]) => t !== 'park_markers')),
    );
  });

  it('looks at the range that it is given, and at nothing else', async () => {
    const url = await copy();
    const [row] = await query(
      url,
      'SELECT seq_no >> 31 AS block, seq_no FROM event_log ORDER BY seq_no LIMIT 1 OFFSET 60',
    );
    await query(url, `DELETE FROM event_log WHERE seq_no = ${row?.['seq_no']}`);
    const block = Number(row?.['block']);
    expect((await verify(url, ['--from', String(block + 1)])).said).not.toMatch(/: missing/);
    expect((await verify(url, ['--to', String(block - 1)])).said).not.toMatch(/: missing/);
    expect((await verify(url, ['--from', String(block), '--to', String(block)])).said).toMatch(/: missing/);
  });

  it('mends beside a worker that follows the head, which goes on to the right tables', async () => {
    const url = await copy();
    const worker = market.startWorker(chain, url);
    try {
      await executedReaches(url, expected.lastBlock, worker);
      await query(
        url,
        `DELETE FROM event_log WHERE ctid IN (SELECT ctid FROM event_log WHERE name = 'TokenTransferred' ORDER BY random() LIMIT 10)`,
      );
      await query(url, 'UPDATE orders SET price = 777 WHERE ctid IN (SELECT ctid FROM orders LIMIT 10)');
      const repairing = verify(url, ['--repair', '--to', String(expected.lastBlock)]);
      for (let i = 0; i < 5; i++) await devnet.mine();
      const { code, said } = await repairing;
      expect(said).toMatch(/, \d+ mended/);
      expect(code).toBe(0);
      const head = Number(await devnet.rpc.call<string>('eth_blockNumber'));
      await executedReaches(url, head, worker);
      expect((await compareWithExpected(url, expected)).differences).toEqual([]);
      expect(await dump(url)).toEqual(straight.tables);
    } finally {
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
    }
  });

  it('takes nothing back because an endpoint leaves logs out (P2)', async () => {
    const url = await copy();
    const proxy = await startLyingProxy(chain.rpcUrl, (log) => Number(log['blockNumber']) % 3 === 0);
    try {
      const { code, said } = await verify(url, ['--repair', '--rpc', proxy.url]);
      expect(said).toMatch(/no difference/);
      expect(code).toBe(0);
      expect(proxy.omitted).toBeGreaterThan(10);
      expect(await dump(url)).toEqual(straight.tables);
    } finally {
      await proxy.close();
    }
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, RegExp]>([
    ['a block that is no number', ['--from', 'now'], {}, /--from must be a block number, got 'now'/],
    ['a negative block', ['--to=-1'], {}, /--to must be a block number/],
    ['an end before the beginning', ['--from', '9', '--to', '8'], {}, /--to 8 lies before --from 9/],
    ['blocks that are not in the log', ['--to', '999999'], {}, /the log has blocks \d+ to \d+/],
    [
      'patience without end',
      ['--patience', '0'],
      {},
      /--patience must be a number of seconds from 1 to 86400/,
    ],
    ['an unknown option', ['--mend'], {}, /Unknown option '--mend'/],
    [
      'an unknown chain',
      ['--subject', 'eip155:7'],
      {},
      /there is no chain eip155:7 in the database; it has eip155:31337/,
    ],
    [
      'another CHAIN_ID than the database has',
      [],
      { CHAIN_ID: '5' },
      /CHAIN_ID is 5, the chain in the database is eip155:31337/,
    ],
    ['an endpoint that is no URL', ['--rpc', 'nowhere'], {}, /--rpc: item 1 must be a URL/],
    ['markets that the worker does not follow', [], { COLLECTIONS: 'all' }, /are not those of the worker/],
  ])('refuses %s, with exit code 2 and what is wrong', async (_what, args, more, told) => {
    const { code, said } = await verify(straight.url, args, more);
    expect(said).toMatch(told);
    expect(code).toBe(2);
  });

  it('ends when no endpoint answers for as long as it was told to wait, and says so', async () => {
    const nobody = createServer((socket) => void socket.destroy());
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as AddressInfo;
    try {
      const { code, said } = await verify(straight.url, [
        '--rpc',
        `http://127.0.0.1:${port}`,
        '--patience',
        '1',
      ]);
      expect(said).toMatch(/imart: no endpoint gave a usable answer for 1 s, the last one: .*127\.0\.0\.1/);
      expect(code).toBe(1);
    } finally {
      await new Promise((resolve) => nobody.close(resolve));
    }
  });

  it('tells no key of an endpoint whose refusal repeats what it was asked', async () => {
    const refusing = createHttpServer(({ url, headers }, response) => {
      const [, word = ''] = (headers.authorization ?? '').split(' ');
      response.writeHead(401).end(`no project ${url} for ${Buffer.from(word, 'base64').toString()}`);
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { port } = refusing.address() as AddressInfo;
    try {
      const { code, said } = await verify(straight.url, [
        '--rpc',
        `http://me:secret-word@127.0.0.1:${port}/v2/secret-path-key?key=secret-query-key`,
      ]);
      expect(said).toMatch(/imart: .*HTTP 401 no project/);
      expect(said).not.toMatch(/secret-(path|word|query)/);
      expect(code).toBe(1);
    } finally {
      await new Promise((resolve) => refusing.close(resolve));
    }
  });

  it('refuses another chain under the same id', async () => {
    const other = await startDevnet({ blockTimeSec: 60 });
    try {
      const { code, said } = await verify(straight.url, ['--rpc', other.rpcUrl]);
      expect(said).toMatch(/OTHER_CHAIN|another chain/i);
      expect(code).toBe(1);
    } finally {
      await other.stop();
    }
  });
});
