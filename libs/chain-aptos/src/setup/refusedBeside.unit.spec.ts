import type { SubjectId } from '@imart/core';
import { handlesText, refusedBeside, type LedgerToRead } from './refusedBeside';

const registered = (...ids: string[]) =>
  ids.map((subjectId) => ({ subjectId: subjectId as SubjectId, followed: 'imart:0x1' }));
const ledger = (chainId: number, more: Partial<LedgerToRead> = {}): LedgerToRead => ({
  chainId,
  isStated: false,
  bareEvents: false,
  followedBy: '',
  ...more,
});
const handle = (field: string, address = '0x1a') => ({ address, struct: '0x1a::market::Events', field });
const bare = { bareEvents: true, followedBy: handlesText([handle('list')]) };

describe('a database that has other subjects', () => {
  it.each<[string, readonly string[], LedgerToRead]>([
    ['nothing', [], ledger(150)],
    ['the same devnet', ['aptos:150'], ledger(150)],
    ['EVM chains and commands', ['eip155:1', 'commands:product'], ledger(150)],
    ['public networks', ['aptos:1', 'aptos:2'], ledger(150)],
    ['a devnet, for a public network', ['aptos:150'], ledger(1)],
    ['a devnet, where another one is stated', ['aptos:150'], ledger(151, { isStated: true })],
    ['bare events of another network', ['aptos:1-events'], ledger(2)],
  ])('may have %s', (_, ids, read) => {
    expect(refusedBeside(registered(...ids), read)).toBeNull();
  });

  it.each<[string, readonly string[], LedgerToRead, string]>([
    ['bare events of its transactions', ['aptos:1'], ledger(1, bare), 'MIXED_SOURCES'],
    ['transactions of its bare events', ['eip155:1', 'aptos:1-events'], ledger(1), 'MIXED_SOURCES'],
    ['the same, when it is stated', ['aptos:1'], ledger(1, { ...bare, isStated: true }), 'MIXED_SOURCES'],
    ['a devnet that was started anew', ['aptos:150'], ledger(151), 'NETWORK_RESTARTED'],
    ['bare events of one', ['aptos:150-events'], ledger(151, bare), 'NETWORK_RESTARTED'],
  ])('is not given %s', (_, ids, read, code) => {
    expect(refusedBeside(registered(...ids), read)).toMatchObject({ code, disposition: 'stop' });
  });

  it('keeps bare events by the handles that it was filled by, however the setting writes them', () => {
    const read = (followedBy: string): LedgerToRead => ledger(1, { bareEvents: true, followedBy });
    const stored = (followedBy: string) => [
      { subjectId: 'aptos:1-events' as SubjectId, followed: `imart:0x1a${followedBy}` },
    ];
    const both = handlesText([handle('list'), handle('buy')]);
    const again = handlesText([handle('buy', '0x001A'), handle('list'), handle('buy')]);
    expect(again).toBe(both);
    expect(refusedBeside(stored(both), read(again))).toBeNull();
    expect(refusedBeside(stored(both), read(handlesText([handle('list')])))).toMatchObject({
      code: 'HANDLES_CHANGED',
      message: expect.stringContaining('market::Events/buy') as string,
    });
  });
});
