import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interfaceOf, type ContractName } from './contracts';
import { startDevnet, type Devnet, type DevnetOptions } from './devnet';
import type { Expected, ExpectedLog, LogArgument } from './expected';
import { runTraffic } from './traffic';

interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly logIndex: string;
  readonly transactionHash: string;
}

function plain(value: unknown): LogArgument {
  if (Array.isArray(value)) return value.map(plain);
  const text = String(value);
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? text.toLowerCase() : text;
}

/** The logs of the chain as ethers reads them: the second opinion on what the traffic expects. */
async function readLogs(devnet: Devnet, expected: Expected): Promise<Omit<ExpectedLog, 'time'>[]> {
  const { market, mixverse, singleCollective, multipleCollective, erc1155 } = devnet.contracts;
  const { curation, commissionPool, lottery } = devnet.contracts;
  const names = new Map<string, ContractName>([
    [curation, 'Curation'],
    [commissionPool, 'CommissionPool'],
    [lottery, 'Lottery'],
    [market, 'IMartMarket'],
    [mixverse, 'MixverseSpace'],
    [singleCollective, 'SingleCollective'],
    [multipleCollective, 'MultipleCollective'],
    [erc1155, 'MultipleToken'],
  ]);
  for (const { address, standard } of expected.collections) {
    if (standard === 'erc1155') names.set(address, 'MultipleToken');
  }
  const raw = await devnet.rpc.call<RawLog[]>('eth_getLogs', {
    fromBlock: `0x${(devnet.startBlock + 1).toString(16)}`,
    toBlock: 'latest',
  });
  return raw.map((log) => {
    const read = interfaceOf(names.get(log.address) ?? 'SingleToken').parseLog(log);
    if (read === null) throw new Error(`a log that no contract has: ${log.topics[0]}`);
    return {
      block: Number(log.blockNumber),
      logIndex: Number(log.logIndex),
      txHash: log.transactionHash,
      address: log.address,
      event: read.name,
      args: read.args.toArray().map(plain),
    };
  });
}

const withoutTime = (logs: readonly ExpectedLog[]) => logs.map(({ time: _time, ...log }) => log);

async function view(devnet: Devnet, contract: ContractName, to: string, method: string, ...args: unknown[]) {
  const data = interfaceOf(contract).encodeFunctionData(method, args);
  const answer = await devnet.rpc.call<string>('eth_call', { to, data }, 'latest');
  return interfaceOf(contract).decodeFunctionResult(method, answer).toArray().map(plain);
}

describe('the development chain', () => {
  const running: Devnet[] = [];
  const start = async (options: DevnetOptions = {}): Promise<Devnet> => {
    const devnet = await startDevnet(options);
    running.push(devnet);
    return devnet;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((devnet) => devnet.kill()));
  });

  it('holds, log for log and row for row, what the traffic expects after 300 actions', async () => {
    const devnet = await start();
    const expected = await runTraffic(devnet, { seed: 11, actions: 300 });
    expect(expected.actions).toBe(300);
    expect(await readLogs(devnet, expected)).toEqual(withoutTime(expected.logs));

    for (const { collection, tokenId, owner } of expected.tokens) {
      const found = view(devnet, 'SingleToken', collection, 'ownerOf', tokenId);
      if (owner === null) await expect(found).rejects.toThrow('no such token');
      else expect(await found).toEqual([owner]);
    }
    for (const { collection, tokenId, owner, quantity } of expected.balances) {
      expect(await view(devnet, 'MultipleToken', collection, 'balanceOf', owner, tokenId)).toEqual([
        quantity,
      ]);
    }
    for (const { contract, orderId, status, seller, price, quantity, filled } of expected.orders) {
      if (contract === devnet.contracts.market) {
        const [, maker, , , asked] = await view(devnet, 'IMartMarket', contract, 'orders', orderId);
        if (status === 'LISTING') expect([maker, asked]).toEqual([seller, price]);
        else expect(maker).toBe('0x0000000000000000000000000000000000000000');
      } else {
        const [, , , , left] = await view(devnet, 'MixverseSpace', contract, 'items', orderId);
        expect(left).toBe(status === 'LISTING' ? String(BigInt(quantity) - BigInt(filled)) : '0');
      }
    }
    for (const { contract, offerId, status, bidder, price } of expected.offers) {
      const [, maker, , , bid] = await view(devnet, 'IMartMarket', contract, 'offers', offerId);
      if (status === 'CREATED') expect([maker, bid]).toEqual([bidder, price]);
      else expect(maker).toBe('0x0000000000000000000000000000000000000000');
    }
    const STATES = ['none', 'listing', 'reserved', 'sold', 'frozen', 'redeemed'];
    for (const { contract, exhibitId, status } of expected.exhibits) {
      const [state] = await view(devnet, 'Curation', contract, 'exhibitState', exhibitId);
      expect(STATES[Number(state)]).toBe(status);
    }
    for (const { contract, offerId, status, from } of expected.curationOffers) {
      const asks = status === 'pending' ? from : '0x0000000000000000000000000000000000000000';
      expect(await view(devnet, 'Curation', contract, 'offerFrom', offerId)).toEqual([asks]);
    }
    for (const { contract, galleryId, payee, claimable } of expected.commissions) {
      expect(await view(devnet, 'CommissionPool', contract, 'claimable', galleryId, payee)).toEqual([
        claimable,
      ]);
    }
    for (const { contract, lotteryId, status } of expected.lotteries) {
      const [left] = await view(devnet, 'Lottery', contract, 'prizesLeft', lotteryId);
      const unclaimed = expected.prizes
        .filter((prize) => prize.lotteryId === lotteryId && prize.claimer === null)
        .map(({ tokenId }) => tokenId);
      expect(new Set(left as string[])).toEqual(new Set(status === 'withdrawn' ? [] : unclaimed));
    }
    const order = (a: { block: number; logIndex: number; item: number }) =>
      a.block * 1e6 + a.logIndex * 1e2 + a.item;
    expect([...expected.activities].sort((a, b) => order(a) - order(b))).toEqual(expected.activities);
    expect(new Set(expected.activities.map(({ kind }) => kind)).size).toBe(12);
  });

  it('gives the same expectations for the same seed, but for the hashes of blocks', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const run = { seed: 5, actions: 120 };
    expect(await runTraffic(one, run)).toEqual(await runTraffic(other, run));
  });

  it('ends the listing before it takes the offer for a listed token', async () => {
    const devnet = await start();
    const { logs } = await runTraffic(devnet, { seed: 2, actions: 600, perBlock: 40 });
    const at = logs.findIndex(
      (log, i) =>
        log.event === 'OfferAccepted' &&
        logs[i - 1]?.event === 'Delisted' &&
        logs[i - 1]?.txHash === log.txHash,
    );
    expect(at).toBeGreaterThan(0);
    expect(logs[at + 1]).toMatchObject({ event: 'Transfer', txHash: logs[at]?.txHash });
  });

  it('refuses to sell an expired listing, at the very second', async () => {
    const devnet = await start();
    const { market, erc721 } = devnet.contracts;
    const [seller = '', buyer = ''] = devnet.accounts;
    const send = async (
      from: string,
      to: string,
      contract: ContractName,
      method: string,
      ...args: unknown[]
    ) => {
      const data = interfaceOf(contract).encodeFunctionData(method, args);
      const value = method === 'buy' ? '0x64' : '0x0';
      return devnet.rpc.call<string>('eth_sendTransaction', { from, to, data, value, gas: '0xf4240' });
    };
    const statusOf = async (hash: string) =>
      (await devnet.rpc.call<{ status: string }>('eth_getTransactionReceipt', hash)).status;
    await send(seller, erc721, 'SingleToken', 'mint', seller);
    await send(seller, erc721, 'SingleToken', 'mint', seller);
    await send(seller, erc721, 'SingleToken', 'setApprovalForAll', market, true);
    await devnet.mine();
    const { timestamp } = await devnet.rpc.call<{ timestamp: string }>(
      'eth_getBlockByNumber',
      'latest',
      false,
    );
    const expiresAt = BigInt(timestamp) + 24n;
    await send(seller, market, 'IMartMarket', 'list', erc721, 1, 100, expiresAt);
    await send(seller, market, 'IMartMarket', 'list', erc721, 2, 100, expiresAt + 1n);
    await devnet.mine();
    const sales = [
      await send(buyer, market, 'IMartMarket', 'buy', 1),
      await send(buyer, market, 'IMartMarket', 'buy', 2),
    ];
    await devnet.mine();
    expect(await Promise.all(sales.map(statusOf))).toEqual(['0x0', '0x1']);
  });

  it('goes on with chain and traffic after a stop, and after a kill with what had been saved', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'imart-devnet-spec-'));
    try {
      const block = (devnet: Devnet, tag: string) =>
        devnet.rpc.call<{ hash: string }>('eth_getBlockByNumber', tag, false);
      let devnet = await start({ dataDir });
      const first = await runTraffic(devnet, { seed: 3, actions: 100 });
      const genesis = (await block(devnet, '0x0')).hash;
      const head = (await block(devnet, 'latest')).hash;
      await devnet.stop();
      await expect(devnet.rpc.call('eth_chainId')).rejects.toThrow();

      devnet = await start({ dataDir });
      expect((await block(devnet, '0x0')).hash).toBe(genesis);
      expect((await block(devnet, 'latest')).hash).toBe(head);
      const second = await runTraffic(devnet, { seed: 3, actions: 100 });
      expect(second.actions).toBe(200);
      expect(second.logs.slice(0, first.logs.length)).toEqual(first.logs);
      expect(await readLogs(devnet, second)).toEqual(withoutTime(second.logs));
      await devnet.save();
      await runTraffic(devnet, { seed: 3, actions: 50 });
      await devnet.kill();

      devnet = await start({ dataDir });
      const third = await runTraffic(devnet, { seed: 4, actions: 50 });
      expect(third.logs.slice(0, second.logs.length)).toEqual(second.logs);
      expect(third.actions).toBe(250);
      expect(await readLogs(devnet, third)).toEqual(withoutTime(third.logs));
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('goes on with a chain that was made before some contracts were', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'imart-devnet-spec-'));
    try {
      let devnet = await start({ dataDir });
      await runTraffic(devnet, { seed: 3, actions: 10 });
      const { lottery, erc721 } = devnet.contracts;
      const nonceBefore = 8;
      const receipts = await devnet.rpc.call<{ from: string }[]>('eth_getBlockReceipts', '0x1');
      await devnet.rpc.call('anvil_setCode', lottery, '0x');
      await devnet.rpc.call('anvil_setNonce', lottery, '0x0');
      await devnet.rpc.call('anvil_setNonce', receipts[0]?.from, `0x${nonceBefore.toString(16)}`);
      await devnet.stop();

      devnet = await start({ dataDir });
      expect(devnet.contracts).toMatchObject({ lottery, erc721 });
      expect(await devnet.rpc.call('eth_getCode', lottery, 'latest')).not.toBe('0x');
      const expected = await runTraffic(devnet, { seed: 3, actions: 200 });
      expect(expected.lotteries.length).toBeGreaterThan(0);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('is the same chain at every start when it is mined by the clock, and its clock is right', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'imart-devnet-spec-'));
    try {
      const first: string[] = [];
      // Anvil alone makes another first block in every other second; one of them wins at random.
      for (let run = 0; run < 5; run++) {
        const devnet = await start({ dataDir, blockTimeSec: 1 });
        await devnet.mine();
        const block = (tag: string) =>
          devnet.rpc.call<{ hash: string; timestamp: string }>('eth_getBlockByNumber', tag, false);
        first.push((await block('0x0')).hash);
        expect(Math.abs(Number((await block('latest')).timestamp) - Date.now() / 1_000)).toBeLessThan(5);
        await devnet.stop();
      }
      expect(new Set(first).size).toBe(1);
      await expect(startDevnet({ dataDir })).rejects.toThrow('holds a chain that was mined by the clock');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('expects what is on the new branch after a reorg', async () => {
    const devnet = await start();
    const before = await runTraffic(devnet, { seed: 6, actions: 150 });
    await devnet.rpc.call('anvil_reorg', 5, []);
    const after = await runTraffic(devnet, { seed: 7, actions: 50 });
    expect(after.actions).toBeLessThan(before.actions + 50);
    expect(after.logs.slice(0, before.logs.length)).not.toEqual(before.logs);
    expect(await readLogs(devnet, after)).toEqual(withoutTime(after.logs));
  });

  it('refuses a data directory that is in use, and a port that is taken', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'imart-devnet-spec-'));
    try {
      const devnet = await start({ dataDir });
      const port = Number(new URL(devnet.rpcUrl).port);
      await expect(startDevnet({ dataDir })).rejects.toThrow('is in use by process');
      await expect(startDevnet({ port })).rejects.toThrow(`port ${port} is not free`);
      expect(await devnet.rpc.call('eth_chainId')).toBe('0x7a69');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
