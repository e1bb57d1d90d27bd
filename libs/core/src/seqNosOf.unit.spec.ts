import {
  APTOS_SEQ_NO_LAYOUT,
  COMMAND_SEQ_NO_LAYOUT,
  EVM_SEQ_NO_LAYOUT,
  seqNosOf,
  type SeqNoLayout,
  type SubjectId,
} from './index';

describe('the SeqNo codec of a subject', () => {
  it.each<[id: string, layout: SeqNoLayout]>([
    ['eip155:137', EVM_SEQ_NO_LAYOUT],
    ['aptos:1', APTOS_SEQ_NO_LAYOUT],
    ['commands:product', COMMAND_SEQ_NO_LAYOUT],
  ])('follows from its id: %s', (id, layout) => {
    expect(seqNosOf(id as SubjectId).layout).toEqual(layout);
  });

  it('is not guessed for an id of another kind', () => {
    expect(() => seqNosOf('solana:1' as SubjectId)).toThrow(/solana:1 .* not known/);
  });
});
