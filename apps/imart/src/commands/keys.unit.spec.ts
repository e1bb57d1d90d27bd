import { UsageError } from '../usageError';
import { keysCommand } from './keys';

describe('imart keys', () => {
  it.each([
    [['create', '--scope', 'events:write'], '--name must have'],
    [['create', '--name', 'x'], '--scope is missing'],
    [['create', '--name', 'x', '--scope', 'Events write'], "--scope 'Events write' is none"],
    [['create', '--name', 'x', '--scope', 'webhooks', '--rate', '0'], '--rate must be'],
    [['create', '--name', 'x', '--secret', 'y'], '--secret'],
    [['revoke'], 'revoke takes the id of one key'],
    [['forget'], 'keys takes create, list or revoke'],
  ])('tells what is wrong with %j before it connects', async (args, says) => {
    const wrong = await keysCommand.run(args).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(UsageError);
    expect((wrong as UsageError).message).toContain(says);
  });
});
