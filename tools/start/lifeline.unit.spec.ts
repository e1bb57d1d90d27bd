import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const LIFELINE = join(__dirname, 'lifeline.cjs');
const THREAD = `const thread = new (require('node:worker_threads').Worker)('', { eval: true });
  thread.on('exit', () => process.stdout.write('thread over'));`;

const start = (script: string) =>
  spawn(process.execPath, ['--require', LIFELINE, '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });

describe('the lifeline', () => {
  it('ends the process as if asked to when its standard input closes', async () => {
    const child = start(`setInterval(() => {}, 1000); process.stdout.write('up');`);
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('holds when a thread ends, which has a standard input of its own', async () => {
    const child = start(`${THREAD} setInterval(() => {}, 1000);`);
    await once(child.stdout, 'data');
    // What a thread would have sent to its process has arrived by the time a signal that comes later has.
    process.kill(child.pid ?? 0, 'SIGINT');
    expect(await once(child, 'exit')).toEqual([null, 'SIGINT']);
  });

  it('does not keep a process alive that is done', async () => {
    const child = start('');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
