import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const at =
  (file: string) =>
  (search: string, replace: string): Patch => ({ file: `libs/chain-evm/src/${file}`, search, replace });
const suite = (file: string, only?: string): Suite => ({
  files: [`libs/chain-evm/src/${file}.unit.spec.ts`],
  ...(only === undefined ? {} : { only }),
});

/** What is read from the chain. */
export const CHAIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'empty-logs-believed',
    breaks: 'an empty answer of a node that does not have the last block is believed (P1)',
    patches: [
      at('fetch/readAnswers.ts')(
        'if (last === undefined) { const place',
        'if (last === undefined) { const stand = [...all.values()].at(-1) ?? { number: range.to, hash: "0x", parentHash: "0x", timestamp: 0, logsBloom: null }; return { all, first: stand, last: { ...stand, number: range.to } }; } if (last === undefined) { const place',
      ),
    ],
    suite: suite('subject/headAndFinality', 'the head'),
  },
  {
    name: 'bloom-ignored',
    breaks: 'a block that lacks its logs is not found out by its bloom (P2)',
    patches: [at('fetch/checkBlooms.ts')('if (suspects.length === 0) return;', 'return;')],
    suite: suite('fetch/wrongAnswers', '(P2)'),
  },
  {
    name: 'duplicate-log-accepted',
    breaks: 'an answer with a log that is there twice is used (P11)',
    patches: [at('fetch/readAnswers.ts')('if (twice !== null) {', 'if (false) {')],
    suite: suite('fetch/wrongAnswers', 'an answer that cannot be right'),
  },
  {
    name: 'foreign-branch-log-accepted',
    breaks: 'a log of another branch than its block is used (P11)',
    patches: [
      at('fetch/readAnswers.ts')('if (header !== undefined && header.hash !== blockHash) {', 'if (false) {'),
      at('fetch/readAnswers.ts')(
        'if (before.blockNumber === log.blockNumber && before.blockHash !== log.blockHash) {',
        'if (false) {',
      ),
      at('fetch/fetchRange.ts')('if (block === null || block.hash !== blockHash) {', 'if (block === null) {'),
    ],
    suite: suite('fetch/wrongAnswers', 'an answer that cannot be right'),
  },
  {
    name: 'removed-logs-applied',
    breaks: 'logs that a node marks as removed become events (P12)',
    patches: [at('fetch/canonicalLog.ts')("if (raw.removed === true) return 'removed';", '')],
    suite: suite('fetch/wrongAnswers', '(P12'),
  },
  {
    name: 'range-split-loses-a-block',
    breaks: 'a range that is split leaves out the block at the border (Q9)',
    patches: [
      at('fetch/fetchLogs.ts')('const from = lower.last.number + 1;', 'const from = lower.last.number + 2;'),
    ],
    suite: suite('fetch/fetchLogs', '(Q9'),
  },
  {
    name: 'rate-limit-as-range-limit',
    breaks: 'a limit on the rate is answered with smaller ranges (P10)',
    patches: [
      at('rpc/toRpcError.ts')(
        "case 'rate': return new RpcRateLimitedError(place, text, retryAfterMs);",
        "case 'rate': return new RpcRangeLimitError(place, text, readRangeHint(text, data));",
      ),
    ],
    suite: suite('rpc/toRpcError', '(P10)'),
  },
  {
    name: 'chain-id-not-checked',
    breaks: 'an endpoint of another chain is used (P14)',
    patches: [
      at('rpc/pool.ts')(
        'if (actual !== chainId) throw new WrongChainError(endpoint.label, String(chainId), String(actual));',
        '',
      ),
    ],
    suite: suite('rpc/pool', '(P14)'),
  },
  {
    name: 'finality-moves-back',
    breaks: 'a finalized block below the last one makes blocks unfinal again (P7)',
    patches: [
      at('subject/finality.ts')(
        'if (to >= 0 && (position === null || to > position)) position = to;',
        'if (to >= 0) position = to;',
      ),
    ],
    suite: suite('subject/finality', '(P7)'),
  },
  {
    name: 'final-by-number',
    breaks: 'a block is final because another one of its height is (P8, R7)',
    patches: [
      at('subject/finalizer.ts')(
        "if (named !== null && own !== null) return own.hash === named.hash ? true : 'contradicted';",
        'if (named !== null && own !== null) return true;',
      ),
    ],
    suite: suite('subject/finalizer', 'is not final by its number'),
  },
  {
    name: 'final-below-another-branch',
    breaks: 'blocks are final below a final block that stands on other ones (R7)',
    patches: [
      at('subject/finalizer.ts')('return named === null || final?.hash === named.hash;', 'return true;'),
    ],
    suite: suite('subject/finalizer', 'is not final below one'),
  },
  {
    name: 'final-without-a-question',
    breaks: 'blocks below a final one that was not read are final unseen (R7)',
    patches: [
      at('subject/finalizer.ts')(
        'return Number(block.position) <= finalRead ? true : ask(block, signal);',
        'void finalRead; return true;',
      ),
    ],
    suite: suite('subject/finalizer', 'is not final below one'),
  },
  {
    name: 'finalized-above-head-believed',
    breaks: 'a finalized block above the head is believed (P8)',
    patches: [at('subject/finality.ts')('if (answer.number > head.number) {', 'if (false) {')],
    suite: suite('subject/headAndFinality', '(P8)'),
  },
  {
    name: 'topics-not-counted',
    breaks: 'an event of another contract kind with the same first topic is taken for ours (D6)',
    patches: [at('follow.ts')('return count === undefined || count === log.topics.length;', 'return true;')],
    suite: suite('translate', '(D6)'),
  },
  {
    name: 'no-parent-check',
    breaks: 'a range that is no child of the last block is appended (R1)',
    patches: [
      at('subject/readChain.ts')(
        'if (tip !== null && read.data.first.parentHash !== tip.hash) {',
        'if (false) {',
      ),
      at('subject/readChain.ts')(
        'if (position === tip.position + 1n) return parentHash !== tip.hash;',
        'if (position === tip.position + 1n) return false;',
      ),
    ],
    suite: suite('subject/reorg', 'by a longer branch'),
  },
  {
    name: 'lagging-node-taken-for-a-reorg',
    breaks: 'one endpoint on another branch is followed against the others (P6)',
    patches: [
      at('subject/branchVotes.ts')(
        "side: against.length > standing.length ? 'against' : 'standing', byNumber: true",
        "side: 'against', byNumber: true",
      ),
    ],
    suite: suite('subject/disagreeingEndpoints', 'endpoints that contradict each other'),
  },
  {
    name: 'unsure-reads-on',
    breaks: 'reading goes on while an endpoint says, unconfirmed, that what was read is void (P6)',
    patches: [at('subject/readChain.ts')("stalled = verdict.kind === 'unsure';", 'stalled = false;')],
    suite: suite(
      'subject/reorgAndFinality',
      'is believed of one endpoint only after it has said so for a while',
    ),
  },
  {
    name: 'start-not-checked',
    breaks: 'the first range is asked for before the last block is compared with the chain (R2)',
    patches: [
      at('subject/readChain.ts')(
        'if (contradicts(head) || (isFirst && !(await reorgs.tipStands(signal)))) doubtful = true;',
        'if (contradicts(head)) doubtful = true;',
      ),
    ],
    suite: suite('subject/reorg', 'at the start (R2)'),
  },
  {
    name: 'lone-astray-endpoint-followed',
    breaks: 'an endpoint on a branch of its own is followed because the others are away (P6)',
    patches: [
      at('subject/reorg.ts')(
        'if (pool.endpoints.length > 1 && witness !== undefined && astray.has(witness.endpoint)) return false;',
        '',
      ),
    ],
    suite: suite('subject/disagreeingEndpoints', 'the other one is not followed alone'),
  },
  {
    name: 'one-word-taken-for-a-reorg',
    breaks: 'blocks are taken back because one endpoint said so once (P6)',
    patches: [at('subject/reorg.ts')('if (looks < limits.looks) return false;', '')],
    suite: suite('subject/falseReorgs', 'one of several nodes behind one URL'),
  },
  {
    name: 'node-in-a-reorg-is-a-witness',
    breaks: 'a node whose headers do not follow each other has a vote (P6)',
    patches: [at('subject/branchSurvey.ts')('checkFollows(endpoint, header, above);', 'void checkFollows;')],
    suite: suite('subject/branchSurvey'),
  },
  {
    name: 'skipped-height-of-another-branch-overlooked',
    breaks: 'a branch that has a block where the one read has none is taken for a shorter chain (P17)',
    patches: [
      at('subject/branchSurvey.ts')(
        'fork: unseen ? await forkBehind(endpoint, stored, successor, signal) : fork,',
        'fork: unseen ? (void forkBehind, null) : fork,',
      ),
    ],
    suite: suite('subject/branchSurvey', '(P17)'),
  },
  {
    name: 'short-chain-votes',
    breaks: 'an endpoint whose chain ends below the contested blocks votes for what was read (P6)',
    patches: [at('subject/branchVotes.ts')('shared.position > contested', 'shared.position >= contested')],
    suite: suite('subject/branchVotes'),
  },
  {
    name: 'final-blocks-doubted-by-order',
    breaks: 'one endpoint against one other makes final blocks doubtful (P6, R7)',
    patches: [at('subject/reorg.ts')('if (isDeep && !byNumber) return STANDS;', '')],
    suite: suite('subject/reorgAndFinality', 'is not believed of one endpoint against another one'),
  },
  {
    name: 'children-not-read-in-their-range',
    breaks: 'logs of a collection are missing in the range that discovers it',
    patches: [
      at('subject/readChain.ts')(
        'if (missing.length === 0 || filter.childQueries(missing).length === 0) return read;',
        'if (missing.length >= 0) return read;',
      ),
    ],
    suite: suite('subject/discovery', 'collections that a factory creates'),
  },
];
