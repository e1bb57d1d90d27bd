import type { SeqNo, SubjectId } from '@imart/core';
import { createWakeUpStream, type WakeUpBackend } from '../index';

/**
 * A program for specs: a process that uses wake-ups. `hang`: takes one and never finishes it, until it is killed.
 * `round`: sends one, handles it, closes, and must then end by itself. `idle`: closes when its input ends. Prints one line
 * for each step.
 */
async function main(mode: string, backend: WakeUpBackend): Promise<void> {
  const logger = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
  const stream = await createWakeUpStream({
    subjectId: 'spec:process' as SubjectId,
    observer: 'spec',
    backend,
    logger,
  });
  let handled: () => void = () => undefined;
  const once = new Promise<void>((resolve) => (handled = resolve));
  await stream.receiver.start([0], async ({ id }) => {
    console.log(`taken ${id}`);
    if (mode === 'hang') await new Promise(() => undefined);
    handled();
    return 'executed';
  });
  if (mode === 'hang') return;
  if (mode === 'idle') {
    console.log('idle');
    for await (const _ of process.stdin);
    await stream.close();
    return;
  }
  await stream.sender.send([{ id: 'of-the-process', lane: 0, seqNo: 1n as SeqNo, epoch: 0n }]);
  await once;
  await stream.close();
  console.log('closed');
}

void main(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '{}') as WakeUpBackend);
