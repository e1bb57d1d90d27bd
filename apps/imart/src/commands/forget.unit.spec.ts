import { UsageError } from '../usageError';
import { forgetCommand } from './forget';

describe('imart forget', () => {
  it.each([
    [['--yes'], 'forget takes one person'],
    [['p1', 'p2', '--yes'], 'forget takes one person'],
    [['p1'], 'cannot be undone: say --yes'],
    [['p1', '--all'], '--all'],
  ])('tells what is wrong with %j before it connects', async (args, says) => {
    const wrong = await forgetCommand.run(args).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(UsageError);
    expect((wrong as UsageError).message).toContain(says);
  });
});
