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

  it.each([
    ['28P01', 'password authentication failed for user "imart"'],
    ['28000', 'role "imart" does not exist'],
    ['3D000', 'database "imart" does not exist'],
  ])('says at once that it is not let in, and which setting mends it: %s', async (code, message) => {
    let attempts = 0;
    const step = async (): Promise<never> => {
      attempts++;
      throw Object.assign(new Error(message), { code });
    };
    const refused = { code: 'DATABASE_REFUSED', disposition: 'stop' };
    const failed = databaseThere(step, there());
    await expect(failed).rejects.toMatchObject(refused);
    await expect(failed).rejects.toThrow(`${message}. Correct DATABASE_URL`);
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
