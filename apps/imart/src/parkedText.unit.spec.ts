import type { SubjectId } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { actor } from './actor';
import { asJson } from './asJson';
import { keyText, parkedDetails, parkedTable, placeText, readKey } from './parkedText';
import { seqNosOf } from './seqNosOf';
import { textTable } from './textTable';
import { UsageError } from './usageError';

const seqNo = evmSeqNo.encode(17n, 3, 0);
const marker = {
  aggregateType: 'order',
  aggregateId: '0xab:7/8',
  fromSeqNo: seqNo,
  code: 'UNDECODABLE',
  message: 'of no form',
  parkedAt: '2026-01-02T03:04:05.678Z',
  waitingEvents: 2_000,
};
const waiting = [{ seqNo, name: 'Listed', data: '[1]', txHash: '0x12', address: '0xab' }];

describe('what is parked, as text', () => {
  it('names an aggregate by type and id; the id may hold slashes', () => {
    expect(readKey('order/0xab:7/8')).toEqual({ aggregateType: 'order', aggregateId: '0xab:7/8' });
    expect(keyText(readKey('order/0xab:7/8'))).toBe('order/0xab:7/8');
  });

  it.each(['', 'order', '/7', 'order/'])('refuses what names none: %j', (text) => {
    expect(() => readKey(text)).toThrow(UsageError);
  });

  it('tells places in the words of the chain, and a part only where there is one', () => {
    expect(placeText('eip155:1', seqNo)).toBe('block 17, log 3');
    expect(placeText('eip155:1', evmSeqNo.encode(17n, 3, 1))).toBe('block 17, log 3, part 1');
    const at = seqNosOf('aptos:1' as SubjectId).encode(5_000_000_000n, 2, 1);
    expect(placeText('aptos:1', at)).toBe('version 5000000000, event 2, part 1');
  });

  it('lists each on a line under headings', () => {
    expect(parkedTable([])).toBe('nothing is parked\n');
    const lines = parkedTable([{ subjectId: 'eip155:1', parked: marker }]).split('\n');
    expect(lines[2]).toBe(
      'eip155:1  order/0xab:7/8  block 17, log 3  UNDECODABLE  2026-01-02T03:04:05.678Z  2000',
    );
  });

  it('says that not all waiting events are told, what was skipped and what was done', () => {
    const action = {
      ...readKey('order/1'),
      fromSeqNo: seqNo,
      action: 'skip',
      outcome: 'released',
      actedBy: 'ann',
    } as const;
    const text = parkedDetails('eip155:1', marker, {
      marker,
      waiting,
      skipped: [{ seqNo, skippedBy: 'ann', reason: 'a fake', skippedAt: 'then' }],
      actions: [{ ...action, reason: null, actedAt: 'then' }],
    });
    expect(text).toContain('waiting    2000 events, the first 1:');
    expect(text).toMatch(/skipped events:\n.*\n.*\n\S+ +block 17, log 3 +then +ann +a fake\n/);
    expect(text).toMatch(/what was done:\n.*\n.*\nthen +ann +skip +released +block 17, log 3\n$/);
    expect(parkedDetails('eip155:1', marker, { marker: null, waiting: [], skipped: [], actions: [] })).toBe(
      'order/0xab:7/8 on eip155:1\n\nnot parked\n',
    );
  });
});

describe('output of commands', () => {
  it('keeps every digit of whole numbers in JSON (D4)', () => {
    expect(JSON.parse(asJson({ seqNo: 9_007_199_254_740_993n, list: [1n] }))).toEqual({
      seqNo: '9007199254740993',
      list: ['1'],
    });
  });

  it('makes columns as wide as their widest cell, without spaces at the end', () => {
    expect(
      textTable(
        ['a', 'long'],
        [
          ['xxx', 'y'],
          ['z', ''],
        ],
      ),
    ).toBe('a    long\n---  ----\nxxx  y\nz\n');
  });

  it('takes the name that is given for who does it, else the user of the system', () => {
    expect(actor(' ann ')).toBe('ann');
    expect(actor(' ')).toBe(actor(undefined));
    expect(actor(undefined)).not.toBe('');
  });
});
