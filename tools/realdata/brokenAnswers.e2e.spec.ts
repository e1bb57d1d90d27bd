import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from '../replay-rpc/src';
import { startAlteredRpc, type Alter, type AlteredRpc } from './alteredRpc';
import { describeRecorded, MAINNET_MARKETS, recorded } from './recordings';
import { nextBlock, nextBlockReaches } from './progress';
import { dump, query } from './tables';
import { createWorkerProcesses, type LogLine, type WorkerProcesses } from './workerProcess';

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
/** A market must be named; this one is nowhere in the recordings. */
const NO_MARKET = 'imart:0x0000000000000000000000000000000000000001';

interface RecordedLog {
  address: string;
  blockHash: string;
  blockNumber: string;
  logIndex: string;
  transactionHash: string;
}

describeRecorded('broken answers of providers', () => {
  let workers: WorkerProcesses;
  let server: TestServer;
  let directory: string;
  const open: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    workers = createWorkerProcesses();
    server = await startTestServer();
    directory = mkdtempSync(join(tmpdir(), 'imart-test-broken-'));
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.stop();
  });
  afterAll(async () => {
    await workers?.close();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const replay = async (
    files: readonly string[],
    options: Partial<ReplayRpcOptions> = {},
  ): Promise<ReplayRpc> => {
    const rpc = await startReplayRpc({ files: files.map(recorded), verify: false, ...options });
    open.push(rpc);
    return rpc;
  };
  const lastEventBlock = async (url: string): Promise<number> =>
    Number((await query(url, 'SELECT max(seq_no >> 31) AS block FROM event_log'))[0]?.['block'] ?? -1);
  const endLine = ({ message }: LogLine): boolean => message === 'END_BLOCK is executed';

  describe('of Cronos, with transactions that have no receipt', () => {
    it('are no hindrance where logs are enough, in their healthy neighbour neither', async () => {
      for (const [files, from, to] of [
        [['rpc-wire/cronos/6541', 'rpc-wire/cronos/6542'], 6541, 6542],
        [['rpc-wire/cronos/131465'], 131465, 131465],
      ] as const) {
        const rpc = await replay(files);
        expect(rpc.chainId).toBe(25);
        const { url } = await server.createDatabase();
        await workers.run({
          RPC_URLS: rpc.url,
          MARKETS: NO_MARKET,
          COLLECTIONS: 'all',
          START_BLOCK: from,
          END_BLOCK: to,
          RANGE_BLOCKS_MAX: 1,
          DATABASE_URL: url,
        });
        expect(await nextBlock(url)).toBe(to + 1);
      }
    });

    it.each([
      ['131465, singly', '131465', '0xbf62c67ea509e86f07c8c69d0286c0636c50270b', 3, {}],
      // More logs than the provider gives at once: they are taken from all receipts of the block.
      [
        '131465, of the whole block',
        '131465',
        '0xbf62c67ea509e86f07c8c69d0286c0636c50270b',
        3,
        { maxResults: 2 },
      ],
      ['6542, singly', '6542', '0x5c7f8a570d578ed84e63fdfa7b1ee72deae1ae23', 3, {}],
      [
        '6542, of the whole block',
        '6542',
        '0x5c7f8a570d578ed84e63fdfa7b1ee72deae1ae23',
        3,
        { maxResults: 2 },
      ],
    ])(
      'give a market that needs receipts those that are there: block %s',
      async (_, block, address, count, options) => {
        // Each transfer of the contract, and how many logs its transaction has: known from the receipt only.
        const file = join(directory, `receipts-${block}.cjs`);
        writeFileSync(
          file,
          `module.exports = { marketplace: {
          name: 'receipts', contracts: () => [], topics: ['${TRANSFER}'], needsReceipt: () => true,
          translate({ logs, receipt }, emit) {
            for (const log of logs) emit(log, 'token', log.address + ':' + receipt.logs.length, 'TokenMinted',
              { to: '0x' + log.topics[2].slice(26), standard: 'erc721' });
          } } };`,
        );
        const rpc = await replay([`rpc-wire/cronos/${block}`], options);
        const { url } = await server.createDatabase();
        await workers.run({
          RPC_URLS: rpc.url,
          MARKETS: `${file}:${address}`,
          START_BLOCK: block,
          END_BLOCK: block,
          DATABASE_URL: url,
        });
        const receipts = JSON.parse(
          readFileSync(recorded(`rpc-wire/cronos/${block}/receipts.json`), 'utf8'),
        ) as { logs: (RecordedLog & { topics: string[] })[] }[];
        const expected = receipts.flatMap(({ logs }) =>
          logs
            .filter((log) => log.address === address && log.topics[0] === TRANSFER)
            .map((log) => ({ at: Number(log.logIndex), aggregate_id: `${address}:${logs.length}` })),
        );
        expect(expected).toHaveLength(count);
        expect(
          await query(
            url,
            'SELECT (seq_no >> 14 & 131071)::int AS at, aggregate_id FROM event_log ORDER BY seq_no',
          ),
        ).toEqual(expected);
      },
    );
  });

  describe('of zkSync', () => {
    const run = async (name: string): Promise<{ url: string; end: LogLine }> => {
      const rpc = await replay([`zksync/${name}.json`]);
      expect(rpc.chainId).toBe(324);
      const { url } = await server.createDatabase();
      const worker = await workers.run({
        RPC_URLS: rpc.url,
        MARKETS: NO_MARKET,
        COLLECTIONS: 'all',
        START_BLOCK: rpc.pieces[0]?.from ?? 0,
        END_BLOCK: rpc.pieces[0]?.to ?? 0,
        DATABASE_URL: url,
      });
      expect(await nextBlock(url)).toBe((rpc.pieces[0]?.to ?? 0) + 1);
      return { url, end: await worker.line(endLine, 'the end') };
    };

    it.each([
      [
        'nft-mint',
        'MINT',
        '0x4a80888f58d004c5ef2013d2cf974f00f42dd934',
        '0x481e48ce19781c3ca573967216dee75fdcf70f54',
      ],
      [
        'nft-transfer',
        'TRANSFER',
        '0x89bcb56033920b8a654109faeb1f87e0c3358cad',
        '0xd754ff5e8a6f257e162f72578a4bb0493c0681d8',
      ],
    ])('with a good log beside the fee’s: %s', async (name, kind, collection, to) => {
      const { url } = await run(name);
      const rows = await query(url, 'SELECT kind, collection, token_id, to_address FROM activities');
      expect(rows).toEqual([{ kind, collection, token_id: '1', to_address: to }]);
      expect(await query(url, 'SELECT collection, token_id, owner FROM tokens')).toEqual([
        { collection, token_id: '1', owner: to },
      ]);
    });

    it.each([
      ['log-parsing-error', { topics: 1 }],
      ['address-out-of-range', { malformed: 3 }],
    ])('with logs that nobody can read are skipped and counted: %s', async (name, skippedLogs) => {
      const { url, end } = await run(name);
      expect(end['skippedLogs']).toMatchObject(skippedLogs);
      expect(end['undecodableLogs']).toBe(0);
      expect(await query(url, 'SELECT * FROM event_log')).toEqual([]);
    });
  });

  it('with a transfer that indexes nothing, as CryptoKitties’, is a token’s only where that is configured', async () => {
    const kitties = '0x06012c8cf97bead5deae237070f9587f8e7a266d';
    const word = (n: number): string => n.toString(16).padStart(64, '0');
    const file = join(directory, 'kitties.json');
    const log = { topics: [TRANSFER], data: `0x${word(0xa11ce)}${word(0xb0b)}${word(7)}` };
    writeFileSync(
      file,
      JSON.stringify([{ case: 'a transfer of CryptoKitties’ form', address: kitties, log }]),
    );
    const rpc = await startReplayRpc({ files: [file] });
    open.push(rpc);
    const movesWith = async (collections: string) => {
      const { url } = await server.createDatabase();
      await workers.run({
        RPC_URLS: rpc.url,
        MARKETS: NO_MARKET,
        COLLECTIONS: collections,
        START_BLOCK: 1,
        END_BLOCK: 1,
        DATABASE_URL: url,
      });
      return query(url, 'SELECT kind, token_id, from_address, to_address FROM activities');
    };
    expect(await movesWith(`${kitties}:unindexed`)).toEqual([
      {
        kind: 'TRANSFER',
        token_id: '7',
        from_address: `0x${word(0xa11ce).slice(24)}`,
        to_address: `0x${word(0xb0b).slice(24)}`,
      },
    ]);
    expect(await movesWith('all')).toEqual([]);
    expect(await movesWith(kitties)).toEqual([]);
  });

  describe('about mainnet blocks 14000002 and 14000003', () => {
    const FIRST = 14_000_002;
    const WYVERN = '0x7be8076f4ea4a4ad08075c2508e481d6c946d12b';
    let rpc: AlteredRpc;
    let straight: Readonly<Record<string, string>>;
    const settings = (url: string) => ({
      RPC_URLS: rpc.url,
      MARKETS: MAINNET_MARKETS,
      COLLECTIONS: 'all',
      START_BLOCK: FIRST,
      END_BLOCK: FIRST + 1,
      RANGE_BLOCKS_MAX: 1,
      DATABASE_URL: url,
    });

    beforeAll(async () => {
      const node = await startReplayRpc({ files: [recorded('mainnet-14000000')] });
      rpc = await startAlteredRpc(node.url, null);
      const { url } = await server.createDatabase();
      await workers.run(settings(url));
      straight = await dump(url);
      stops.push(rpc, node);
    });
    const stops: { stop(): Promise<void> }[] = [];
    afterAll(async () => {
      for (const one of stops) await one.stop();
    });

    /** Only what is told about the second block is altered. */
    const inSecond = (
      change: (logs: RecordedLog[]) => unknown,
      wants: (result: readonly RecordedLog[]) => boolean = () => true,
    ): Alter => {
      const second = `0x${(FIRST + 1).toString(16)}`;
      return ({ method, params }, result) => {
        const [filter] = params as [{ fromBlock?: string }];
        if (method !== 'eth_getLogs' || filter.fromBlock !== second) return result;
        const logs = result as RecordedLog[];
        return wants(logs) ? change(logs) : result;
      };
    };
    const sold = ({ address }: RecordedLog): boolean => address === WYVERN;
    let withheld: string;

    it.each<[string, string, Alter]>([
      [
        'a log twice (P11)',
        'is in the answer twice',
        inSecond(
          (logs) => [...logs, ...logs.filter(sold).slice(0, 1)],
          (logs) => logs.some(sold),
        ),
      ],
      [
        'a log of another block of that number',
        'but that block is',
        inSecond(
          (logs) => logs.map((log, i) => (i === 3 ? { ...log, blockHash: `0x${'ab'.repeat(32)}` } : log)),
          (logs) => logs.length > 3,
        ),
      ],
      [
        'a log of a block that was not asked for',
        'a log of block 14000005 is in the answer for',
        inSecond(
          (logs) => logs.map((log, i) => (i === 3 ? { ...log, blockNumber: '0xd59f85' } : log)),
          (logs) => logs.length > 3,
        ),
      ],
      [
        'the same index for two different logs of one transaction, whose receipt has other places',
        'is not in its receipt',
        inSecond(
          (logs) => {
            const [a, b] = logs.filter(sold);
            return logs.map((log) => (log === b ? { ...log, logIndex: a?.logIndex, data: '0x' } : log));
          },
          (logs) => logs.filter(sold).length > 1,
        ),
      ],
      [
        'no receipt for a transaction that has logs',
        'is in no receipt',
        ({ method, params }, result) => {
          if (method === 'eth_getTransactionReceipt') {
            const receipt = result as { transactionHash: string; blockNumber: string };
            if (Number(receipt.blockNumber) === FIRST + 1) withheld ??= receipt.transactionHash;
            return params[0] === withheld ? null : result;
          }
          if (method !== 'eth_getBlockReceipts') return result;
          return (result as { transactionHash: string }[]).filter((r) => r.transactionHash !== withheld);
        },
      ],
      [
        'a receipt without one of its logs',
        'is in no receipt',
        ({ method }, result) => {
          const shorten = (receipt: { logs: RecordedLog[] }) => ({
            ...receipt,
            logs: receipt.logs.filter((log) => !sold(log) || Number(log.blockNumber) !== FIRST + 1),
          });
          if (method === 'eth_getTransactionReceipt') return shorten(result as { logs: RecordedLog[] });
          if (method === 'eth_getBlockReceipts') return (result as { logs: RecordedLog[] }[]).map(shorten);
          return result;
        },
      ],
      [
        'a block that is no child of the one before',
        'is no child of block 14000002',
        ({ method, params }, result) =>
          method === 'eth_getBlockByNumber' && params[0] === '0xd59f83'
            ? { ...(result as object), parentHash: `0x${'cd'.repeat(32)}` }
            : result,
      ],
    ])('with %s: nothing of the block is stored, until they are mended', async (_, complaint, alter) => {
      const { url } = await server.createDatabase();
      rpc.alter(alter);
      const worker = workers.start({ ...settings(url), LOG_LEVEL: 'debug' });
      await nextBlockReaches(url, FIRST + 1, worker);
      // Refused again after that, so that what would be stored has been.
      const before = worker.lines.length;
      await worker.line(
        (line) => worker.lines.indexOf(line) >= before && JSON.stringify(line).includes(complaint),
        complaint,
      );
      expect([await nextBlock(url), await lastEventBlock(url)]).toEqual([FIRST + 1, FIRST]);
      rpc.alter(null);
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(await dump(url)).toEqual(straight);
    });

    it.each<[string, (places: readonly number[]) => number | undefined]>([
      ['in the middle', (places) => places[0]],
      ['at the end', (places) => places.at(-1)],
    ])(
      'with a receipt too few %s, where only receipts hold all logs of a block, store nothing of it, until they are mended',
      async (_, choose) => {
        const narrow = await startReplayRpc({ files: [recorded('mainnet-14000000')], maxResults: 5 });
        const lying = await startAlteredRpc(narrow.url, ({ method }, result) => {
          if (method !== 'eth_getBlockReceipts') return result;
          const receipts = result as { logs: RecordedLog[] }[];
          const ofInterest = receipts.flatMap(({ logs }, i) => (logs.some(sold) ? [i] : []));
          return receipts.filter((_receipt, i) => i !== choose(ofInterest));
        });
        open.push(narrow, lying);
        const { url } = await server.createDatabase();
        const worker = workers.start({ ...settings(url), RPC_URLS: lying.url });
        const { error } = await worker.line(({ level }) => level === 'warn', 'the complaint');
        expect(error).toMatch(/is in no receipt|the receipt of transaction 0x\w+ is missing/);
        expect([await nextBlock(url), await lastEventBlock(url)]).toEqual([FIRST, -1]);
        lying.alter(null);
        expect(await worker.ended).toEqual({ code: 0, signal: null });
        expect(await dump(url)).toEqual(straight);
      },
    );

    it('are complained of, once for many, and SIGTERM ends the worker with 0 all the same', async () => {
      const { url } = await server.createDatabase();
      rpc.alter(
        inSecond(
          (logs) => [...logs, ...logs],
          (logs) => logs.length > 0,
        ),
      );
      const worker = workers.start(settings(url));
      const { code } = await worker.line(
        ({ level, message }) =>
          level === 'warn' && message === 'no RPC endpoint gives a usable answer, trying again',
        'the complaint',
      );
      expect(code).toBe('RPC_INCONSISTENT');
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(await nextBlock(url)).toBe(FIRST + 1);
      rpc.alter(null);
      await workers.run(settings(url));
      expect(await dump(url)).toEqual(straight);
    });
  });

  describe('of a corrupt recording', () => {
    type Block = { transactions: { receipt: { logs: Record<string, unknown>[] } }[] };
    const corrupt = (name: string, change: (block: Block) => void): string => {
      const block = JSON.parse(readFileSync(recorded('mainnet-14000000/14000003.json'), 'utf8')) as Block;
      change(block);
      const file = join(directory, `${name}.json`);
      writeFileSync(file, JSON.stringify(block));
      return file;
    };
    const withLogs = (block: Block) =>
      block.transactions.map((t) => t.receipt.logs).filter((l) => l.length > 2);

    it('are not given: replay-rpc ends with 1 and names file, block and fault', () => {
      const file = corrupt('missing', (block) => void withLogs(block)[3]?.splice(1, 1));
      const main = join(__dirname, '../replay-rpc/src/main.ts');
      const ended = spawnSync(process.execPath, ['--import', 'tsx', main, file], {
        cwd: join(__dirname, '../..'),
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect([ended.status, ended.stdout]).toEqual([1, '']);
      expect(ended.stderr).toContain(`${file}: block 14000003: `);
    });

    it('are refused by the worker where they are served unverified: a log is there twice', async () => {
      const file = corrupt('twice', (block) => {
        for (const logs of withLogs(block)) logs.push({ ...logs[0] });
      });
      const rpc = await startReplayRpc({ files: [file], verify: false });
      open.push(rpc);
      const { url } = await server.createDatabase();
      const worker = workers.start({
        RPC_URLS: rpc.url,
        MARKETS: MAINNET_MARKETS,
        COLLECTIONS: 'all',
        START_BLOCK: 14_000_003,
        END_BLOCK: 14_000_003,
        DATABASE_URL: url,
      });
      const { error } = await worker.line(({ level }) => level === 'warn', 'the complaint');
      expect(error).toMatch(/log \d+ of block 14000003 is in the answer twice/);
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(await nextBlock(url)).toBe(14_000_003);
      expect(await query(url, 'SELECT * FROM event_log')).toEqual([]);
    });
  });
});
