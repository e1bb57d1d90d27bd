import { testsIn, type FaultRow } from '../faultRow';

const values = testsIn('libs/storage/src/subject/values.int.spec.ts');
const views = testsIn('libs/storage/src/read/views.int.spec.ts');
const api = testsIn('apps/api/src/createServer.int.spec.ts');
const translate = testsIn('libs/chain-evm/src/translate.unit.spec.ts');
const trade = testsIn('libs/market/src/reducers/trade.unit.spec.ts');
const tokens = testsIn('libs/market/src/reducers/tokens.unit.spec.ts');

export const DATA_ROWS: readonly FaultRow[] = [
  {
    id: 'D1',
    fault: 'NUL and invalid UTF-8 in texts',
    tests: [
      values('of %s is stored as it is (D1)'),
      values('with %s gets a replacement character in rows, and keeps it in the log (D1)'),
      testsIn('libs/chain-evm/src/markets/collectives.unit.spec.ts')(
        'mend a name that is no text, and keep its bytes (D1)',
      ),
    ],
  },
  {
    id: 'D2',
    fault: 'the greatest uint256 as price, id, amount',
    tests: [
      values('of the largest uint256 are exact as price, token id, nonce and amount (D2)'),
      api('gives a listing whole, amounts of 256 bits exact (D2)'),
      testsIn('libs/pipeline/src/failures.unit.spec.ts')(
        'whose quantities add up to more than a column holds is parked, and no run fails for it (D2, Q18)',
      ),
    ],
  },
  {
    id: 'D3',
    fault: 'u64 above 2^63, and its maximum',
    tests: [
      testsIn('libs/chain-evm/src/markets/collectives.unit.spec.ts')(
        'have no limit when the maximum is 0, and the largest one exactly (D3)',
      ),
      testsIn('libs/chain-aptos/src/markets/paths.unit.spec.ts')('reads the u64 %s exactly (D3, D4)'),
      testsIn('libs/chain-aptos/src/markets/imart.unit.spec.ts')(
        'never expire when their time is %s s: none, or longer than any calendar (D3, D10)',
      ),
      values('of the u64 %s are exact in rows, activities, the log and states (D3, D4)'),
    ],
  },
  {
    id: 'D4',
    fault: 'JSON numbers above 2^53',
    tests: [
      testsIn('libs/market/src/events.unit.spec.ts')(
        'is read back as it was written (D2, D4), and equal data is equal text',
      ),
      testsIn('libs/stream/src/createWakeUpStream.int.spec.ts')(
        'carries seq no and epoch exactly beyond 2^53 (D4)',
      ),
    ],
  },
  {
    id: 'D5',
    fault: 'addresses in other cases or paddings',
    tests: [
      testsIn('libs/chain-evm/src/fetch/canonical.unit.spec.ts')('is in lower case, its places numbers (D5)'),
      testsIn('libs/chain-aptos/src/address.unit.spec.ts')(
        'has 0x and 64 digits, whichever leading zeros were left out (D5)',
      ),
      api('takes addresses in any case and answers in lower case (D5)'),
    ],
  },
  {
    id: 'D6',
    fault: 'one first topic, other numbers of topics',
    tests: [translate('counts topics where an ERC-20 event looks the same (D6)')],
  },
  {
    id: 'D7',
    fault: 'anonymous, extra or truncated data',
    tests: [
      translate(
        'keeps its place with its raw log: all of that marketplace in that transaction, nothing else (D7)',
      ),
      translate('is counted and skipped when its contract is followed only because all are (D7)'),
    ],
  },
  {
    id: 'D8',
    fault: 'several events in one transaction or block',
    tests: [
      tokens('are minted, listed and bought in one block, in the order of the block (D8)'),
      trade('are a new row when they are listed again after their end (list, cancel, list in one block: D8)'),
      testsIn('libs/chain-evm/src/markets/cryptoPunks.unit.spec.ts')(
        'pairs each of several accepted bids of one transaction with its own Transfer (D8)',
      ),
    ],
  },
  {
    id: 'D9',
    fault: 'metadata that is missing, huge, slow or hostile',
    tests: [],
    reason: 'metadata of tokens is not fetched: only what events tell is kept',
  },
  {
    id: 'D10',
    fault: 'expiry at the exact second, never, in other units',
    tests: [
      values('of %s are exact (D10)'),
      testsIn('libs/chain-evm/src/markets/imartMarket.unit.spec.ts')('reads the expiry %s s as %s us (D10)'),
      testsIn('libs/chain-evm/src/markets/seaport.unit.spec.ts')(
        'never expires when its end is the greatest number, and begins at once when its start is 0 (D10)',
      ),
      testsIn('libs/chain-aptos/src/markets/times.unit.spec.ts')('in %s of %s is the moment %s us (D10)'),
      testsIn('libs/chain-aptos/src/markets/imart.unit.spec.ts')(
        'expire seconds after a moment in microseconds (D10)',
      ),
    ],
  },
  {
    id: 'D11',
    fault: 'the host’s clock differs from the chain’s',
    tests: [
      views('follows the chain time of its own subject'),
      testsIn('libs/worker/src/clockSkew.unit.spec.ts')(
        'are told apart once when a new block comes from the past, and once when they agree again',
      ),
    ],
  },
  {
    id: 'D12',
    fault: 'a token leaves and returns; approvals',
    tests: [views('live again when the token returns')],
    reason: 'approvals are not looked at (see what is not guaranteed)',
  },
  {
    id: 'D13',
    fault: 'partial fills, two sellers of one token',
    tests: [
      trade('are filled in parts until their quantity is used up (D13)'),
      trade('of two sellers of one token id are two rows; a sale ends only its own (D13)'),
      views('adds ERC-1155 ids up from their balances, and takes the cheaper of two sellers (D13)'),
    ],
  },
  {
    id: 'D14',
    fault: 'a fill of an unknown order',
    tests: [
      trade('that were never seen are made from their sale; what it does not tell stays unknown (D14)'),
      testsIn('tools/faults/lateKnowledge.int.spec.ts')(
        'completes a sale that was stored without its parties, whether a snapshot lies above it or not (D14, P2)',
      ),
    ],
  },
  {
    id: 'D15',
    fault: 'identifiers of more than 63 characters',
    tests: [],
    reason: 'no identifier is made from names of contracts or events: all are in the migrations, and short',
  },
];
