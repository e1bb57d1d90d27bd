import { createSeqNosOf, type SubjectId } from '@imart/core';
import { aptosSeqNo, aptosSubjects } from './seqNo';
import { aptosSubjectId } from './subject/options';

describe('the SeqNo of an Aptos event', () => {
  it('keeps its stored form', () => {
    expect(aptosSeqNo.encode(1n, 2, 3)).toBe(134234115n);
    expect(aptosSeqNo.encode(2_298_838_662n, 5, 1)).toBe(308544902252240897n);
    expect(aptosSeqNo.max).toEqual({ position: 68719476735n, index: 16383, part: 8191 });
  });

  it('is of every ledger, whether its transactions are read or bare events', () => {
    const seqNosOf = createSeqNosOf([aptosSubjects]);
    expect(seqNosOf(aptosSubjectId(1, false) as SubjectId)).toBe(aptosSeqNo);
    expect(seqNosOf(aptosSubjectId(1, true) as SubjectId)).toBe(aptosSeqNo);
  });
});
