import { LedgerGapError, StorageUnavailableError } from '@imart/pipeline';
import { toStorageError } from './pgErrors';

const withCode = (code: string): Error => Object.assign(new Error(`said ${code}`), { code });

describe('toStorageError', () => {
  it.each([
    ['connection failure', '08006'],
    ['too many connections', '53300'],
    ['disk full', '53100'],
    ['the administrator ends the session', '57P01'],
    ['crash of another session', '57P02'],
    ['starting up', '57P03'],
    ['serialization failure', '40001'],
    ['deadlock', '40P01'],
    ['lock not available', '55P03'],
    ['idle in transaction for too long', '25P03'],
    ['an error of the disk', '58030'],
    ['refused', 'ECONNREFUSED'],
    ['reset', 'ECONNRESET'],
    ['name server not there for a moment', 'EAI_AGAIN'],
    ['no such host', 'ENOTFOUND'],
  ])('%s (%s) passes, and keeps its cause', (_what, code) => {
    const cause = withCode(code);
    const error = toStorageError(cause);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error).toMatchObject({ disposition: 'retry', cause });
  });

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
  ])('what the driver says without a code passes: %s', (message) => {
    expect(toStorageError(new Error(message))).toBeInstanceOf(StorageUnavailableError);
  });

  it.each([
    ['duplicate key', '23505'],
    ['numeric out of range', '22003'],
    ['no such table', '42P01'],
    ['wrong password', '28P01'],
    ['a wrong call of ours', 'ERR_INVALID_ARG_TYPE'],
  ])('%s (%s) is no passing fault, and stays as it is', (_what, code) => {
    const error = withCode(code);
    expect(toStorageError(error)).toBe(error);
  });

  it('leaves our own errors, and what is no error', () => {
    const gap = new LedgerGapError('eip155:1', 1n, 2n);
    expect(toStorageError(gap)).toBe(gap);
    expect(toStorageError(null)).toBeNull();
    expect(toStorageError('text')).toBe('text');
  });
});
