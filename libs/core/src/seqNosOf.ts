import { COMMAND_SUBJECT_PREFIX } from './command';
import type { SubjectId } from './event';
import { commandSeqNo, type SeqNoCodec } from './seqNo';

/** Subjects whose SeqNos are made alike: all chains that one adapter reads. */
export interface SubjectKind {
  /** What stands before the colon of their ids. For chains it is the namespace of CAIP-2. */
  readonly namespace: string;
  readonly seqNos: SeqNoCodec;
}

/**
 * The codec of a subject, by its id: for whoever goes through a database that may have several kinds of them.
 * @throws {RangeError} for an id of no kind that is known: its SeqNos cannot be read.
 */
export type SeqNosOf = (subjectId: SubjectId) => SeqNoCodec;

/**
 * Knows the codecs of these kinds, and that of commands. Each adapter of a chain exports its kind; a program passes those that a database of
 * its may have.
 * @throws {RangeError} when two kinds have one namespace.
 */
export function createSeqNosOf(kinds: readonly SubjectKind[]): SeqNosOf {
  const codecs = new Map([[COMMAND_SUBJECT_PREFIX.slice(0, -1), commandSeqNo]]);
  for (const { namespace, seqNos } of kinds) {
    if (codecs.has(namespace)) throw new RangeError(`two kinds of subjects are called ${namespace}`);
    codecs.set(namespace, seqNos);
  }
  return (subjectId) => {
    const codec = codecs.get(subjectId.split(':', 1)[0] ?? '');
    if (codec === undefined) {
      const known = [...codecs.keys()].join(', ');
      throw new RangeError(
        `how the SeqNos of ${subjectId} are made is not known; known are those of ${known}`,
      );
    }
    return codec;
  };
}
