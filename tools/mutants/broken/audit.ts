import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const at =
  (file: string) =>
  (search: string, replace: string): Patch => ({
    file: `libs/pipeline/src/audit/${file}.ts`,
    search,
    replace,
  });
const READER_FILE = 'libs/chain-evm/src/subject/auditReader';
const atReader = (search: string, replace: string): Patch => ({ file: `${READER_FILE}.ts`, search, replace });
const READER = (only: string): Suite => ({ files: [`${READER_FILE}.unit.spec.ts`], only });
const AUDIT = (only: string): Suite => ({ files: ['libs/pipeline/src/audit/auditRange.unit.spec.ts'], only });
const PASSES = (file: string, only: string): Suite => ({
  files: [`libs/storage/src/passes/${file}.int.spec.ts`],
  only,
});

/** Second readings. */
export const AUDIT_MUTANTS: readonly Mutant[] = [
  {
    name: 'second-pass-above-finality',
    breaks: 'the second pass reads blocks that may still be taken back',
    patches: [
      at('runPasses')(
        'if (second === null || positionsPerSecond <= 0 || final === null || second.nextPosition > final) return null;',
        'if (second === null || positionsPerSecond <= 0 || final === null || second.nextPosition >= progress.nextPosition) return null;',
      ),
      at('runPasses')(
        'const toPosition = least(second.nextPosition + BigInt(most) - 1n, final, progress.nextPosition - 1n);',
        'const toPosition = least(second.nextPosition + BigInt(most) - 1n, progress.nextPosition - 1n);',
      ),
    ],
    suite: PASSES('secondPass', 'reads nothing above finality'),
  },
  {
    name: 'quick-above-finality',
    breaks: 'a reading above finality does not tell which branch it is of',
    patches: [
      at('runPasses')(
        'if (finalizedPosition !== null && fromPosition <= finalizedPosition) {',
        "if (fromPosition <= end) return { fromPosition, toPosition: least(fromPosition + most - 1n, end), depth: 'quick' }; if (finalizedPosition !== null && fromPosition <= finalizedPosition) {",
      ),
    ],
    suite: PASSES('backfill', 'is read above finality with every block'),
  },
  {
    name: 'passes-while-catching-up',
    breaks: 'second readings slow down a worker that catches up',
    patches: [
      at('runPasses')(
        'const next = mayRead() ? await nextRange(options) : null;',
        'void mayRead; const next = await nextRange(options);',
      ),
    ],
    suite: PASSES('besideOtherWork', 'read nothing while the worker catches up'),
  },
  {
    name: 'unfollowed-compared',
    breaks: 'events of a contract that nobody follows any more are taken for wrong',
    patches: [at('auditRange')('const own = all.filter(isFollowed);', 'const own = all;')],
    suite: PASSES('secondPass', 'leaves alone what nobody follows any more'),
  },
  {
    name: 'unfollowed-compared-in-whole-blocks',
    breaks: 'the same, in a block that is read whole for another reason',
    patches: [
      at('auditRange')('for (const one of closer.filter(isFollowed)) {', 'for (const one of closer) {'),
    ],
    suite: AUDIT('leaves an event alone that nobody follows any more'),
  },
  {
    name: 'foreign-logs-retracted',
    breaks: 'events of a followed address that nobody follows any more are taken out of the log',
    patches: [
      at('auditRange')(
        "const isForeign = one.kind === 'extra' && block.isForeign(one.stored.source.index);",
        'const isForeign = false;',
      ),
    ],
    suite: AUDIT('leaves an event alone that a followed contract wrote'),
  },
  {
    name: 'disproved-not-retracted',
    breaks: 'what was read because of a contract that is none stays in the log',
    patches: [
      at('auditRange')(
        'const extra = strays.length === 0 ? [] : await passes.eventsAt(strays);',
        'const extra: never[] = [];',
      ),
    ],
    suite: PASSES('backfill', 'forgets a contract that no event names'),
  },
  {
    name: 'omission-believed',
    breaks: 'events are taken back because an answer left them out (P2)',
    patches: [
      at('auditRange')(
        "...own.filter(({ kind }) => kind !== 'missing').map((difference) => eventOf(difference).seqNo),",
        '',
      ),
    ],
    suite: PASSES('secondPass', 'takes nothing back on the word of an answer that leaves logs out'),
  },
  {
    name: 'part-of-a-block-believed',
    breaks: 'the second pass believes an answer that has some logs of a block, and lacks others (P2)',
    patches: [
      atReader(
        'const suspects = [...promising, ...(await blocksToldInPart(context, filter, data, others))];',
        'void blocksToldInPart; void others; const suspects = promising;',
      ),
    ],
    suite: READER('is found out when it tells a part of a block that no bloom shows'),
  },
  {
    name: 'whole-blocks-out-of-order',
    breaks: 'a second reading takes blocks that it read whole in the order in which it suspected them',
    patches: [
      atReader(
        'const inOrder = [...whole.values()].sort((a, b) => a.block.number - b.block.number);',
        'const inOrder = [...whole.values()];',
      ),
    ],
    suite: READER('has its blocks read whole when, asked for them by their hash,'),
  },
  {
    name: 'audit-of-another-branch',
    breaks: 'the log is mended by an endpoint on another branch (P6)',
    patches: [at('auditRange')('if (read !== undefined && read !== hash) return', 'if (false) return')],
    suite: AUDIT('tells of another branch'),
  },
  {
    name: 'pass-moved-before-the-change',
    breaks: 'a pass stands behind a range whose findings were not committed (Q1)',
    patches: [
      at('mendRange')(
        'const result = await applyLateChange(changes, { ...change, epoch }, (tx) => along(tx, part));',
        'await changes.store.transaction(async (tx) => { await tx.lockIngest(); await along(tx, part); }); const result = await applyLateChange(changes, { ...change, epoch });',
      ),
    ],
    suite: PASSES('secondPass', 'skips nothing when it is killed'),
  },
];
