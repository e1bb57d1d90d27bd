import { commandSeqNo, createSeqNoCodec, createSeqNosOf, type SubjectId } from './index';

const wide = createSeqNoCodec({ positionBits: 40, indexBits: 10, partBits: 3 });
const deep = createSeqNoCodec({ positionBits: 20, indexBits: 20, partBits: 20 });

describe('the SeqNo codec of a subject', () => {
  const seqNosOf = createSeqNosOf([
    { namespace: 'wide', seqNos: wide },
    { namespace: 'deep', seqNos: deep },
  ]);

  it('is that of the kind that its id names; of commands it is known without being told', () => {
    expect(seqNosOf('wide:137' as SubjectId)).toBe(wide);
    expect(seqNosOf('deep:1' as SubjectId)).toBe(deep);
    expect(seqNosOf('commands:product' as SubjectId)).toBe(commandSeqNo);
  });

  it('is not guessed for an id of another kind', () => {
    expect(() => seqNosOf('solana:1' as SubjectId)).toThrow(
      'how the SeqNos of solana:1 are made is not known; known are those of commands, wide, deep',
    );
  });

  it.each(['wide', 'commands'])('is not that of two kinds at once: %s', (namespace) => {
    const twice = [
      { namespace: 'wide', seqNos: wide },
      { namespace, seqNos: deep },
    ];
    expect(() => createSeqNosOf(twice)).toThrow(`two kinds of subjects are called ${namespace}`);
  });
});
