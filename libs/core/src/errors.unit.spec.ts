import { ConfigError, dispositionOf, messageOf, WorkerError } from './index';

class ProviderGoneError extends WorkerError {
  constructor(cause: unknown) {
    super('provider rpc#1 is gone', {
      code: 'PROVIDER_GONE',
      disposition: 'retry',
      cause,
      fields: { provider: 'rpc#1' },
    });
  }
}

describe('errors', () => {
  it('carry name, code, disposition, fields and cause', () => {
    const cause = new Error('socket closed');
    const error = new ProviderGoneError(cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ProviderGoneError',
      code: 'PROVIDER_GONE',
      disposition: 'retry',
      fields: { provider: 'rpc#1' },
      cause,
    });
  });

  it('have no cause where none was given', () => {
    expect('cause' in new WorkerError('x', { code: 'X', disposition: 'stop' })).toBe(false);
  });

  it('list every unusable setting at once', () => {
    const error = new ConfigError([
      { setting: 'RPC_URLS', problem: 'is missing' },
      { setting: 'START_BLOCK', problem: 'is not a block number' },
    ]);
    expect(error.message).toBe(
      '2 settings are not usable:\n  RPC_URLS: is missing\n  START_BLOCK: is not a block number',
    );
    expect(error).toMatchObject({
      code: 'CONFIG',
      disposition: 'stop',
      fields: { settings: ['RPC_URLS', 'START_BLOCK'] },
    });
    expect(new ConfigError([{ setting: 'A', problem: 'b' }]).message).toContain('a setting is not usable');
  });

  it('meet the fate of their class; what nobody classified is retried', () => {
    expect(dispositionOf(new WorkerError('x', { code: 'X', disposition: 'park' }))).toBe('park');
    expect([new TypeError('x'), 'text', undefined].map(dispositionOf)).toEqual(['retry', 'retry', 'retry']);
  });

  it('have a message, whatever was thrown', () => {
    expect(messageOf(new Error('a'))).toBe('a');
    expect(messageOf('b')).toBe('b');
    // What Node gives when every address of a host refuses.
    expect(messageOf(new AggregateError([new Error('v4 refused'), new Error('v6 refused')]))).toBe(
      'v4 refused; v6 refused',
    );
  });
});
