/**
 * Decodes per second, ours and ethers', on the same logs.
 * Run: npx tsx --tsconfig libs/chain-evm/tsconfig.json libs/chain-evm/src/abi/eventDecoder.bench.ts
 */
import { EventFragment, Interface, zeroPadValue, toBeHex } from 'ethers';
import { compileEventDecoder } from './eventDecoder';

interface Case {
  readonly name: string;
  readonly signature: string;
  readonly values: (i: number) => readonly unknown[];
}

const address = (i: number): string => toBeHex(0xc0ffee0000000000000000000000000000000000n + BigInt(i), 20);
const item = (i: number): unknown[] => [i % 4, address(i), BigInt(i) << 100n, 1n];

const CASES: readonly Case[] = [
  {
    name: 'Listed (3 indexed, 3 words)',
    signature:
      'Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
    values: (i) => [i, address(i), i % 10_000, address(i + 7), 10n ** 17n * BigInt(i + 1), 1_700_000_000 + i],
  },
  {
    name: 'Transfer (3 indexed)',
    signature: 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
    values: (i) => [address(i), address(i + 1), i],
  },
  {
    name: 'OrderFulfilled (1 offer, 3 considerations)',
    signature:
      'OrderFulfilled(bytes32 orderHash, address indexed offerer, address indexed zone, address recipient, (uint8 itemType, address token, uint256 identifier, uint256 amount)[] offer, (uint8 itemType, address token, uint256 identifier, uint256 amount, address recipient)[] consideration)',
    values: (i) => [
      zeroPadValue(address(i), 32),
      address(i),
      address(i + 1),
      address(i + 2),
      [item(i)],
      [0, 1, 2].map((k) => [...item(i + k), address(i + k)]),
    ],
  },
];

function rate(count: number, run: (i: number) => unknown): number {
  let sink = 0;
  const once = (): number => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) if (run(i) !== undefined) sink++;
    return count / (Number(process.hrtime.bigint() - start) / 1e9);
  };
  once();
  const best = Math.max(once(), once(), once(), once(), once());
  if (sink !== count * 6) throw new Error('some decodes returned nothing');
  return Math.round(best);
}

for (const { name, signature, values } of CASES) {
  const fragment = EventFragment.from(`event ${signature}`);
  const abi = new Interface([fragment]);
  // Through JSON, as the logs of a provider come.
  const logs = JSON.parse(
    JSON.stringify(Array.from({ length: 20_000 }, (_, i) => abi.encodeEventLog(fragment, values(i)))),
  ) as { topics: string[]; data: string }[];
  const decoder = compileEventDecoder(signature);
  const ours = rate(logs.length * 10, (i) => {
    const log = logs[i % logs.length]!;
    return decoder.decode(log.topics, log.data);
  });
  const theirs = rate(4_000, (i) => {
    const log = logs[i]!;
    return abi.decodeEventLog(fragment, log.data, log.topics);
  });
  console.log(`${name}: ours ${ours}/s, ethers ${theirs}/s, ${(ours / theirs).toFixed(0)} times`);
}
