import { holderName } from './database';

describe('the name of a process', () => {
  it('tells program, host and process, and is of no other one', () => {
    const name = holderName('evm-worker', 'node-1.example');
    expect(name).toMatch(new RegExp(`^imart-evm-worker node-1\\.example:${process.pid}:[0-9a-f]{8}$`));
    expect(holderName('evm-worker', 'node-1.example')).not.toBe(name);
  });

  it.each(['evm-worker', 'aptos-worker', 'a-worker-with-a-rather-long-name'])(
    'is never cut by the database, whatever the host is called: %s',
    (program) => {
      const name = holderName(program, `${'ä long host'.repeat(20)}`);
      expect(name.length).toBeLessThanOrEqual(63);
      expect(name).toMatch(/^[\w.:-]+ [\w.-]+:\d+:[0-9a-f]{8}$/);
    },
  );
});
