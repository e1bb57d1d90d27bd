import { hasRecordings, readRecording } from '../testing/recordedBlocks';
import { bloomMayHold } from './bloom';

interface WireBlock {
  readonly logsBloom: string;
}
interface WireReceipt {
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[] }[];
}

(hasRecordings() ? it : it.skip)(
  'finds every log of a recorded block in its bloom, and not everything else',
  () => {
    const { logsBloom } = JSON.parse(readRecording('rpc-wire/ethereum/18000000/block.json')) as WireBlock;
    const receipts = JSON.parse(readRecording('rpc-wire/ethereum/18000000/receipts.json')) as WireReceipt[];
    const logs = receipts.flatMap((receipt) => receipt.logs).filter(({ topics }) => topics.length > 0);
    expect(logs.length).toBeGreaterThan(100);
    for (const { address, topics } of logs) {
      expect(
        bloomMayHold(logsBloom, { address: [address.toLowerCase()], topics: [[topics[0] as string]] }),
      ).toBe(true);
    }
    const strangers = Array.from({ length: 200 }, (_, i) => `0x${(i + 1).toString(16).padStart(40, '0')}`);
    const topic = logs[0]?.topics[0] as string;
    const found = strangers.filter((address) =>
      bloomMayHold(logsBloom, { address: [address], topics: [[topic]] }),
    );
    expect(found.length).toBeLessThan(100);
  },
);

it('says nothing without a bloom, with an empty one, or of every contract', () => {
  const query = { address: [`0x${'1'.repeat(40)}`], topics: [[`0x${'2'.repeat(64)}`]] };
  const full = `0x${'f'.repeat(512)}`;
  expect(bloomMayHold(full, query)).toBe(true);
  expect(bloomMayHold(null, query)).toBe(false);
  expect(bloomMayHold('0x', query)).toBe(false);
  expect(bloomMayHold(`0x${'0'.repeat(512)}`, query)).toBe(false);
  expect(bloomMayHold(full, { topics: query.topics })).toBe(false);
});
