import { ConfigError, type SubjectId } from '@imart/core';
import type { RegisteredSubject } from '@imart/storage';
import { chosen as chosenFor } from './awaitSubject';

const registered = (subjectId: string, subject: number): RegisteredSubject => ({
  subject,
  subjectId: subjectId as SubjectId,
  lanes: 1,
  startPosition: 0n,
});
const [mainnet, polygon, commands, aptosMainnet, aptosTestnet] = [
  registered('eip155:1', 1),
  registered('eip155:137', 2),
  registered('commands:product', 3),
  registered('aptos:1', 4),
  registered('aptos:2', 5),
];
const id = (text: string): SubjectId => text as SubjectId;

const evm = { namespace: 'eip155', chainSetting: 'CHAIN_ID' };
const aptos = { namespace: 'aptos', chainSetting: 'APTOS_CHAIN_ID' };
const chosen = (all: RegisteredSubject[], wanted: SubjectId | null, program = evm) =>
  chosenFor(all, wanted, program);

describe('the chain of a process without a source', () => {
  it('is the one that is asked for, or not there yet', () => {
    expect(chosen([mainnet, polygon], id('eip155:137'))).toBe(polygon);
    expect(chosen([mainnet], id('eip155:137'))).toBeNull();
  });

  it('is the only one where none is asked for; what is no chain does not count', () => {
    expect(chosen([], null)).toBeNull();
    expect(chosen([commands], null)).toBeNull();
    expect(chosen([commands, mainnet], null)).toBe(mainnet);
  });

  it('must be asked for where there are several', () => {
    expect(() => chosen([mainnet, polygon], null)).toThrow(ConfigError);
    expect(() => chosen([mainnet, polygon], null)).toThrow(/CHAIN_ID.*1, 137/s);
  });

  it('is of the kind that the program is for', () => {
    expect(chosen([aptosMainnet, mainnet], null)).toBe(mainnet);
    expect(chosen([aptosMainnet, mainnet, polygon], null, aptos)).toBe(aptosMainnet);
    expect(() => chosen([aptosMainnet, mainnet, aptosTestnet], null, aptos)).toThrow(/APTOS_CHAIN_ID.*1, 2/s);
  });
});
