import { features, testsIn, type FaultRow } from '../faultRow';

const head = testsIn('libs/chain-evm/src/subject/headAndFinality.unit.spec.ts');
/** Of every subject: EVM, and Aptos by each of its sources. */
const contract = features('libs/testing/src/subject.features.ts', [
  'libs/chain-evm/src/subject.unit.spec.ts',
  'libs/chain-aptos/src/subject.unit.spec.ts',
]);
const reorg = testsIn('libs/chain-evm/src/subject/reorg.unit.spec.ts');
const falseReorgs = testsIn('libs/chain-evm/src/subject/falseReorgs.unit.spec.ts');
const deep = testsIn('libs/chain-evm/src/subject/reorgAndFinality.unit.spec.ts');
const limited = testsIn('libs/chain-evm/src/fetch/limitedProvider.unit.spec.ts');
const wrongAnswers = testsIn('libs/chain-evm/src/fetch/wrongAnswers.unit.spec.ts');
const receipts = testsIn('libs/chain-evm/src/fetch/fetchReceipts.unit.spec.ts');
const pool = testsIn('libs/endpoints/src/pool.unit.spec.ts');
const endpoint = testsIn('libs/chain-evm/src/rpc/endpoint.unit.spec.ts');
const canonical = testsIn('libs/chain-evm/src/fetch/canonical.unit.spec.ts');
const hint = testsIn('libs/chain-evm/src/rpc/rangeHint.unit.spec.ts');
const secondPass = testsIn('libs/storage/src/passes/secondPass.int.spec.ts');
const audit = testsIn('libs/chain-evm/src/subject/auditReader.unit.spec.ts');
const fullnode = testsIn('libs/chain-aptos/src/source/restSource.unit.spec.ts');
const handles = testsIn('libs/chain-aptos/src/source/handleSource.unit.spec.ts');
const transactionStream = testsIn('libs/chain-aptos/src/source/streamSource.unit.spec.ts');

export const PROVIDER_ROWS: readonly FaultRow[] = [
  {
    id: 'P1',
    fault: 'no logs from a node that lacks the block',
    tests: [wrongAnswers('is asked for elsewhere (P1)')],
  },
  {
    id: 'P2',
    fault: 'logs of a block left out',
    tests: [
      wrongAnswers('is found out by the bloom, by the hash of the block (P2)'),
      audit('may omit the log that made a contract known: its own logs are found too'),
      audit(
        'is found out when it tells a part of a block that no bloom shows, by the hash of the block, with one endpoint too',
      ),
      secondPass(
        'makes of a log that lacks events, has others and has too many the one that the chain tells, and of its states too (P2)',
      ),
    ],
  },
  {
    id: 'P3',
    fault: 'transaction, receipt or block not there yet',
    tests: [
      receipts('that are null or short are asked for again, elsewhere (P3)'),
      pool('are retried for ever while they are only unavailable, and it is said once in a while (P3)'),
      pool('look at it again after a while (P3, P14)'),
    ],
  },
  {
    id: 'P4',
    fault: 'the head goes backwards',
    tests: [
      ...contract('waits for nodes that lag, takes nothing back, and leaves nothing out (P4, P18)'),
      reorg('a chain that is only shorter is waited for, and followed when it is another one (P4)'),
    ],
  },
  {
    id: 'P5',
    fault: 'a head far ahead, or invented',
    tests: [
      head('may be invented: what nobody serves is not read (P5)'),
      falseReorgs('an invented head; it makes nothing final either (P5)'),
    ],
  },
  {
    id: 'P6',
    fault: 'fail-over to a lagging node looks like a reorg',
    tests: [
      falseReorgs('a fail-over to a node that lags (P6)'),
      falseReorgs('one of several nodes behind one URL that is on another branch (P6)'),
      deep('is not believed of one endpoint against another one, however long it says so (P6)'),
      handles(
        'waits where every look is answered by a node that lags, and goes on when one has caught up (P4, P6)',
      ),
    ],
  },
  {
    id: 'P7',
    fault: 'the finalized tag lags, jumps or fails',
    tests: [
      head('follows the tag, and never goes back (P7)'),
      head('is by depth where the tag is %s (P7)'),
      head('is at most what was read, and the first block is a block (P7)'),
    ],
  },
  {
    id: 'P8',
    fault: 'finalized above the head',
    tests: [head('is not believed above the head (P8)')],
  },
  {
    id: 'P9',
    fault: 'too many results, useless suggestions',
    tests: [
      limited('%s is asked for what it gives (P9)'),
      limited('whose suggestion is what was asked is asked for half (P9)'),
      hint('always leaves two parts that are not empty, whatever is said (P9)'),
    ],
  },
  {
    id: 'P10',
    fault: 'a rate limit that looks like a range limit',
    tests: [
      limited('on its rate is asked later for the same, not for less (P10)'),
      testsIn('libs/chain-evm/src/rpc/toRpcError.unit.spec.ts')(
        'takes %i "%s" for a rate limit, never for a limit on the range (P10)',
      ),
    ],
  },
  {
    id: 'P11',
    fault: 'a log twice, or of another block',
    tests: [
      wrongAnswers('%s, and is asked for again'),
      canonical('finds a log that is there twice, and nothing else (P11)'),
      testsIn('libs/pipeline/src/failures.unit.spec.ts')(
        'takes a range again without writing it twice, and refuses another content (P11)',
      ),
    ],
  },
  {
    id: 'P12',
    fault: 'removed logs',
    tests: [
      wrongAnswers('marks a log of a block of the chain as removed: it is read again, %s (P12)'),
      falseReorgs('removed logs of other branches (P12)'),
    ],
  },
  {
    id: 'P13',
    fault: 'a websocket that is dead or half open',
    tests: [
      head('is found by polling when the websocket is silent (P13)'),
      testsIn('libs/worker/src/progressWatch.unit.spec.ts')(
        'turns red when the head moves and the log does not, and green when it moves again (P13)',
      ),
    ],
  },
  {
    id: 'P14',
    fault: 'another chain after a fail-over',
    tests: [
      pool('refuse the one of another chain and go on with the other (P14)'),
      pool('are asked for their chain again after a lost connection (P14)'),
      ...contract('refuses nodes of another chain (P14)'),
    ],
  },
  {
    id: 'P15',
    fault: 'batches out of order, in part, as HTML, badly compressed',
    tests: [
      endpoint('matches the answers of a batch by id when they come in another order (P15)'),
      endpoint('uses nothing of an answer that is %s (P15)'),
      endpoint('uses nothing of a batch of which one call failed (P15)'),
      endpoint('reads compressed answers, and takes broken ones for a broken connection (P15)'),
    ],
  },
  {
    id: 'P16',
    fault: 'an empty or orphaned answer from a cache',
    tests: [
      testsIn('tools/faults/provider.unit.spec.ts')(
        'that was empty, or of a block that was taken back, is not given again: the node is asked anew (P16)',
      ),
    ],
    reason:
      'answers are not cached: what a range needs is asked for with it, and asked for again when the range is read again',
  },
  {
    id: 'P17',
    fault: 'heights without a block',
    tests: [
      head('may stand above heights that have no block (P17)'),
      audit('skips heights that the chain skips, at its ends too (P17)'),
    ],
  },
  {
    id: 'P18',
    fault: 'Aptos: short pages, version gaps, pruned starts',
    tests: [
      fullnode('gives short pages, whose rest is asked for before what follows (P18)'),
      fullnode('is asked again after %s, and nothing of it is used'),
      fullnode('is waited for when its head goes backwards, and taken for no other ledger (P4, P18)'),
      fullnode('stops the subject with a clear message, and is never skipped over (P18)'),
      transactionStream('stops the subject when it never says the version that is next (P18, %p a message)'),
      transactionStream('stops the subject with a clear message when it has pruned what is next (P18)'),
      transactionStream('is waited for when it lags (P4, P18)'),
      handles('finds where to go on whichever looks a node answers that lags (P4, P6, P18)'),
      handles('misses nothing of nodes that give less than was asked for (P18)'),
      handles(
        'takes what is pruned for older than its start only where the node has all from there on (P18)',
      ),
      handles('stops when the next event or version is pruned (P18)'),
    ],
  },
  {
    id: 'P19',
    fault: 'a slow RPC, retries that pile up',
    tests: [
      ...contract('reads no further ahead than what is executed allows (P19, Q17)'),
      endpoint('has no more requests on their way than allowed, and serves all (P19)'),
    ],
  },
];
