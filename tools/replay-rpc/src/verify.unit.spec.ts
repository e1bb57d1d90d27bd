import { hash, recordingFolder, web3Block } from './handmade.spec';
import { RecordingError, startReplayRpc } from './index';

type Block = ReturnType<typeof web3Block>;

const folder = recordingFolder();
afterAll(() => folder.remove());

async function startFault(files: readonly string[], verify = true): Promise<string> {
  try {
    const server = await startReplayRpc({ files, verify });
    await server.stop();
    return '';
  } catch (error) {
    if (error instanceof RecordingError) return error.message;
    throw error;
  }
}

const receiptOf = (block: Block, i: number): { logs: Record<string, unknown>[] } & Record<string, unknown> =>
  block.transactions[i]!['receipt'] as never;

const FAULTS: readonly [what: string, damage: (block: Block) => void, message: RegExp][] = [
  [
    'a log is missing at the end',
    (b) => void receiptOf(b, 1).logs.pop(),
    /logsBloom is not that of its 3 logs/,
  ],
  ['a log is missing in the middle', (b) => void receiptOf(b, 0).logs.pop(), /log 1 has the logIndex 2/],
  [
    'an address is altered',
    (b) => (receiptOf(b, 0).logs[0]!['address'] = `0x${'11'.repeat(20)}`),
    /missing or altered/,
  ],
  [
    'a topic is altered',
    (b) => (receiptOf(b, 0).logs[0]!['topics'] = [hash(1), hash(77)]),
    /missing or altered/,
  ],
  [
    'a receipt is missing',
    (b) => void delete b.transactions[1]!['receipt'],
    /receipt of transaction 1 is missing/,
  ],
  [
    'a receipt is of another transaction',
    (b) => (receiptOf(b, 0)['transactionHash'] = hash(3)),
    /receipt 0 is of 0x0+3,/,
  ],
  ['a transaction is missing', (b) => void b.transactions.shift(), /transaction 0 has the index 0x1/],
  [
    'a log is of another block',
    (b) => (receiptOf(b, 1).logs[1]!['blockHash'] = hash(3)),
    /log 3 is of block 0xa 0x0+3/,
  ],
  [
    'a receipt has another bloom',
    (b) => (receiptOf(b, 1)['logsBloom'] = b['logsBloom']),
    /logsBloom of receipt 1 is not that/,
  ],
  ['the bloom is altered', (b) => (b['logsBloom'] = `0x${'00'.repeat(256)}`), /logsBloom is not/],
];

describe('a corrupt recording', () => {
  it.each(FAULTS)('is refused with file, block and fault: %s', async (_what, damage, message) => {
    const block = web3Block(10);
    expect(await startFault([folder.write('sound.json', block)])).toBe('');
    damage(block);
    const file = folder.write('corrupt.json', block);
    const fault = await startFault([file]);
    expect(fault).toContain(`${file}: block 10: `);
    expect(fault).toMatch(message);
    expect(await startFault([file], false)).toBe('');
  });

  it('is refused when it is not JSON, whatever the options', async () => {
    const file = folder.write('cut.json', JSON.stringify(web3Block(10)).slice(0, -20));
    for (const verify of [true, false]) {
      expect(await startFault([file], verify)).toContain(`${file}: it is not valid JSON: `);
    }
  });

  it('is refused with its block when a field cannot be read', async () => {
    const block = web3Block(10);
    block.transactions[0]!['gas'] = 'much';
    expect(await startFault([folder.write('odd.json', block)])).toMatch(
      /odd\.json: block 10: gas: "much" is not a quantity/,
    );
    block.transactions[0]!['gas'] = 2 ** 60;
    expect(await startFault([folder.write('odd.json', block)])).toMatch(/not an exact integer/);
  });

  it('is refused when neighbours are not linked, or one block is there in two versions', async () => {
    const ten = folder.write('10.json', web3Block(10));
    const eleven = folder.write('11.json', { ...web3Block(11), parentHash: hash(66) });
    expect(await startFault([ten, eleven])).toMatch(
      /11\.json: block 11: its parent is 0x0+42, but block 10 in .*10\.json is/,
    );
    const again = folder.write('10-again.json', web3Block(10, 1));
    expect(await startFault([ten, again])).toMatch(
      /block 10 is recorded differently in .*10\.json and .*10-again\.json/,
    );
    expect(await startFault([ten, ten])).toBe('');
  });

  it('is refused when it is of two chains, of no known format, or not there', async () => {
    const ten = folder.write('10.json', web3Block(10));
    const other = web3Block(20);
    other.transactions[0]!['chainId'] = '0x8';
    expect(await startFault([ten, folder.write('20.json', other)])).toMatch(
      /several chains: chain 7 in .* chain 8 in/,
    );
    const list = folder.write('list.json', ['something']);
    expect(await startFault([list])).toMatch(/list\.json: it is not in a format that can be replayed/);
    expect(await startFault([`${folder.path}/nowhere`])).toMatch(/no such file or folder/);
  });

  it('lists the faults of all its files at once', async () => {
    const [a, b] = [web3Block(30), web3Block(31)];
    receiptOf(a, 1).logs.pop();
    receiptOf(b, 1).logs.pop();
    const fault = await startFault([folder.write('30.json', a), folder.write('31.json', b)]);
    expect(fault.split('\n')).toHaveLength(2);
  });
});
