import { StorageUnavailableError } from '@imart/pipeline';
import { silentLogger } from '@imart/testing';
import { databaseThere } from './databaseThere';

const there = (signal = new AbortController().signal) => ({ logger: silentLogger, signal, random: () => 0 });

describe('databaseThere', () => {
  it('does a step of the start again until a server that restarts takes it (Q12)', async () => {
    let attempts = 0;
    const step = async (): Promise<string> => {
      if (++attempts < 4)
        throw Object.assign(new Error('the database system is starting up'), { code: '57P03' });
      return 'opened';
    };
    await expect(databaseThere(step, there())).resolves.toBe('opened');
    expect(attempts).toBe(4);
  });

  it('throws at once what does not pass', async () => {
    let attempts = 0;
    const step = async (): Promise<never> => {
      attempts++;
      throw Object.assign(new Error('permission denied'), { code: '42501' });
    };
    await expect(databaseThere(step, there())).rejects.toThrow('permission denied');
    expect(attempts).toBe(1);
  });

  it('gives up when the worker is told to stop', async () => {
    const stop = new AbortController();
    const step = async (): Promise<never> => {
      stop.abort();
      throw new StorageUnavailableError('connection refused', undefined);
    };
    await expect(databaseThere(step, there(stop.signal))).rejects.toThrow('connection refused');
  });
});
