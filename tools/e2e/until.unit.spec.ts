import { untilWhileRunning } from './until';

const program = (isRunning: () => boolean) => ({ isRunning, said: () => 'why it ended' });

describe('waiting for programs', () => {
  it('ends with the condition', async () => {
    let looks = 0;
    await untilWhileRunning([program(() => true)], 'three looks', () => ++looks === 3);
    expect(looks).toBe(3);
  });

  it('tells at once that one of them has ended, though looking fails', async () => {
    let looks = 0;
    const look = async (): Promise<boolean> => {
      looks++;
      throw new Error('the database is away');
    };
    const programs = [program(() => true), program(() => looks < 2)];
    await expect(untilWhileRunning(programs, 'it is done', look)).rejects.toThrow(
      'a program ended before it is done: why it ended',
    );
    expect(looks).toBe(2);
  });

  it('tells what it waited for when that takes too long', async () => {
    const never = untilWhileRunning([program(() => true)], 'it is done', () => false, 30);
    await expect(never).rejects.toThrow('it is done');
  });
});
