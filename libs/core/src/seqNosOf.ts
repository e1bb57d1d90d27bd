import type { SubjectId } from './event';
import {
  APTOS_SEQ_NO_LAYOUT,
  COMMAND_SEQ_NO_LAYOUT,
  createSeqNoCodec,
  evmSeqNo,
  type SeqNoCodec,
} from './seqNo';

/** By what stands before the colon of a subject's id. */
const CODECS: ReadonlyMap<string, SeqNoCodec> = new Map([
  ['eip155', evmSeqNo],
  ['aptos', createSeqNoCodec(APTOS_SEQ_NO_LAYOUT)],
  ['commands', createSeqNoCodec(COMMAND_SEQ_NO_LAYOUT)],
]);

/**
 * The codec of a subject, by its id: for whoever goes through a database that may have several kinds of them.
 * @throws {RangeError} for an id of no kind that there is: its SeqNos cannot be read.
 */
export function seqNosOf(subjectId: SubjectId): SeqNoCodec {
  const codec = CODECS.get(subjectId.split(':', 1)[0] ?? '');
  if (codec === undefined) throw new RangeError(`how the SeqNos of ${subjectId} are made is not known`);
  return codec;
}
