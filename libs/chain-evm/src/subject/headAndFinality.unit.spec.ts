import type { SubjectMessage, BlockRef } from '@imart/core';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import type { EvmSubject } from '../createEvmSubject';
import type { EvmSubjectOptions } from './options';
import { createFakeChain, quantity, type FakeChain } from '../testing/fakeChain';
import type { FakeRpc, FakeRpcRules } from '../testing/fakeRpc';
import {
  appends,
  createRangeKit,
  expectContiguous,
  fromStart,
  places,
  placesOf,
  sparseChain,
  type RangeKit,
} from '../testing/rangeReading';
import { sale, word } from '../testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('the head', () => {
  /** Reads until a block is there, mining the next ones as it goes. */
  const followTo = (
    subject: EvmSubject,
    to: bigint,
    onMessage: (message: SubjectMessage) => void = () => undefined,
    resume = fromStart,
  ) =>
    kit.take(subject, resume, (message) => {
      onMessage(message);
      return message.kind === 'append' && message.toPosition >= to;
    });

  it('is followed block by block, each remembered with its parent', async () => {
    const chain = sparseChain(10);
    const rpc = await kit.node(chain);
    const messages = await followTo(kit.subject([rpc]), 30n, ({ kind }) => {
      if (kind === 'heartbeat') chain.mine([sale]);
    });
    expectContiguous(messages);
    const blocks = appends(messages).flatMap((append) => append.blocks);
    expect(blocks.map(({ hash }) => hash)).toEqual(
      chain.blocks.slice(0, blocks.length).map((block) => block?.hash),
    );
    expect(blocks.slice(1).every(({ parentHash }, i) => parentHash === (blocks[i] as BlockRef).hash)).toBe(
      true,
    );
    expect(appends(messages).at(-1)?.catchingUp).toBe(false);
  });

  it('may be invented: what nobody serves is not read (P5)', async () => {
    const chain = sparseChain(10);
    let invented = true;
    const rpc = await kit.node(chain, {
      changeResult: (_, [tag], result) =>
        tag === 'latest' && invented ? { ...(result as object), number: '0x40', hash: word(5) } : result,
    });
    const messages = await followTo(kit.subject([rpc]), 10n, ({ kind }) => {
      if (kind === 'heartbeat' && rpc.count('eth_getLogs') > 2) invented = false;
    });
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('may stand above heights that have no block (P17)', async () => {
    const chain = createFakeChain(5);
    for (let i = 0; i < 30; i++) {
      if (i % 4 === 1) chain.skipHeight();
      else chain.mine([sale]);
    }
    chain.mine();
    for (const finalized of [0, chain.head]) {
      const rpc = await kit.node(chain, { finalized });
      const messages = await kit.take(
        kit.subject([rpc], {
          endBlock: BigInt(chain.head),
          ranges: { firstBlocks: 3, maxBlocks: 3 },
          unfinalizedRangeBlocksMax: 3,
        }),
      );
      expect(places(messages)).toEqual(placesOf(chain));
      expectContiguous(messages);
    }
  });

  it('is known at once when a websocket announces it', async () => {
    const chain = sparseChain(5);
    const rpc = await kit.node(chain);
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    try {
      const mine = (): void => {
        const { number, hash, parentHash, timestamp } = chain.mine([sale]);
        const result = { number: quantity(number), hash, parentHash, timestamp: quantity(timestamp) };
        for (const client of server.clients)
          client.send(JSON.stringify({ method: 'eth_subscription', params: { result } }));
      };
      const subscribed = new Promise<string>((resolve) =>
        server.on('connection', (socket) =>
          socket.once('message', (data: Buffer) => resolve(data.toString('utf8'))),
        ),
      );
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      // It polls once, and never again.
      const subject = kit.subject([rpc], { wsUrl: `ws://127.0.0.1:${port}`, pollIntervalMs: 1e9 });
      const messages = await followTo(subject, 9n, (message) => {
        if (message.kind === 'append' && message.toPosition >= 5n) void subscribed.then(mine);
      });
      expect(await subscribed).toContain('newHeads');
      expectContiguous(messages);
      expect(messages.filter(({ kind }) => kind === 'heartbeat')).toHaveLength(1);
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  it('is found by polling when the websocket is silent (P13)', async () => {
    const chain = sparseChain(5);
    const rpc = await kit.node(chain);
    const subject = kit.subject([rpc], { wsUrl: rpc.url.replace('http', 'ws') });
    const messages = await followTo(subject, 8n, ({ kind }) => {
      if (kind === 'heartbeat') chain.mine([sale]);
    });
    expectContiguous(messages);
  });
});

describe('finality', () => {
  const finalized = (messages: readonly SubjectMessage[]) =>
    messages.flatMap((message) => (message.kind === 'finalize' ? [message.position] : []));
  const beat = async (
    chain: FakeChain,
    rules: FakeRpcRules,
    options: Partial<EvmSubjectOptions>,
    steps: ((rpc: FakeRpc) => void)[],
  ) => {
    const rpc = await kit.node(chain, rules);
    let beats = 0;
    return kit.take(kit.subject([rpc], options), fromStart, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      steps[beats++]?.(rpc);
      return beats > steps.length + 1;
    });
  };

  it('follows the tag, and never goes back (P7)', async () => {
    const messages = await beat(sparseChain(100), { finalized: 50 }, {}, [
      () => undefined,
      ({ rules }) => (rules.finalized = 40),
      ({ rules }) => (rules.finalized = null),
      ({ rules }) => (rules.finalized = 70),
      () => undefined,
    ]);
    expect(finalized(messages)).toEqual([50n, 70n]);
  });

  it.each<[string, FakeRpcRules]>([
    ['null', { finalized: null }],
    [
      'an error',
      {
        onCall: (_, [tag]) =>
          tag === 'finalized' ? { error: { code: -39001, message: 'Unknown block' } } : undefined,
      },
    ],
    [
      'not supported',
      {
        onCall: (_, [tag]) =>
          tag === 'finalized' ? { error: { code: -32601, message: 'unsupported' } } : undefined,
      },
    ],
  ])('is by depth where the tag is %s (P7)', async (_, rules) => {
    expect(
      finalized(await beat(sparseChain(100), rules, { finalityDepthBlocks: 12 }, [() => undefined])),
    ).toEqual([88n]);
  });

  it('is by depth when that is asked for', async () => {
    expect(
      finalized(
        await beat(sparseChain(100), {}, { finalityDepthBlocks: 3, useFinalizedTag: false }, [
          () => undefined,
        ]),
      ),
    ).toEqual([97n]);
  });

  it('is not believed above the head (P8)', async () => {
    const chain = sparseChain(100);
    const rules: FakeRpcRules = { head: 60, finalized: 90 };
    const messages = await beat(chain, rules, {}, [
      () => undefined,
      ({ rules: now }) => (now.finalized = 20),
      () => undefined,
    ]);
    expect(finalized(messages)).toEqual([20n]);
    expect(kit.lines.some(({ level, message }) => level === 'warn' && message.includes('finalized'))).toBe(
      true,
    );
  });

  it('is at most what was read, and the first block is a block (P7)', async () => {
    expect(
      finalized(await beat(sparseChain(100), { finalized: 80 }, { endBlock: 30n }, [() => undefined])),
    ).toEqual([30n]);
    expect(finalized(await beat(sparseChain(100), { finalized: 0 }, {}, [() => undefined]))).toEqual([0n]);
  });
});
