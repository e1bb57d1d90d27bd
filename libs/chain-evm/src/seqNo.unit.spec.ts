import { createSeqNosOf, type SubjectId } from '@imart/core';
import { evmSeqNo, evmSubjects } from './seqNo';

describe('the SeqNo of an EVM event', () => {
  it('keeps its stored form', () => {
    expect(evmSeqNo.encode(1n, 2, 3)).toBe(2147516419n);
    expect(evmSeqNo.encode(17_000_000n, 345, 1)).toBe(36507222021652481n);
    expect(evmSeqNo.max).toEqual({ position: 4294967295n, index: 131071, part: 16383 });
  });

  it('is of every chain whose id begins as CAIP-2 has it', () => {
    expect(createSeqNosOf([evmSubjects])('eip155:137' as SubjectId)).toBe(evmSeqNo);
  });
});
