import { FIRST_VERSION, timeUsOf, type History, type MarketTransaction } from './history';
import type { Template, Templates } from './template';
import {
  BLOCK_TRANSACTIONS,
  FOREIGN_TRANSACTIONS,
  MARKET_TRANSACTIONS,
  marketTemplates,
  templatesOf,
  type MarketAction,
} from './transactions';

/** 1: mainnet's, which needs no first transaction to be known by. */
export const CHAIN_ID = 1;

/** The ledger as bytes: nothing is encoded when it is asked for, only copied and filled in. */
export interface BenchLedger {
  readonly first: number;
  readonly last: number;
  timeUs(version: number): number;
  /** A message of the stream with the transactions from one version on. */
  message(from: number, count: number): Buffer;
  /** A page of the REST API. */
  page(from: number, count: number): Buffer;
  /** Bytes of all transactions as the stream has them. */
  wireBytes(): number;
}

const NO_VALUES = {};

function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) target[end++] = (rest % 128) | 0x80;
  target[end++] = rest;
  return end;
}
/** Of a length; a transaction has less than 2^21 bytes. */
const LENGTH_BYTES_MAX = 3;

export function createBenchLedger(history: History): BenchLedger {
  const market = Object.fromEntries(
    Object.keys(MARKET_TRANSACTIONS).map((action) => [action, marketTemplates(action as MarketAction)]),
  ) as Readonly<Record<MarketAction, Templates>>;
  const foreign = FOREIGN_TRANSACTIONS.map(templatesOf);
  const block = { first: templatesOf(BLOCK_TRANSACTIONS.first), last: templatesOf(BLOCK_TRANSACTIONS.last) };
  const at = (index: number): { templates: Templates; values: MarketTransaction['values'] } => {
    const slot = history.at(index);
    if (typeof slot === 'object') return { templates: market[slot.action], values: slot.values };
    const templates = slot === 'foreign' ? foreign[(index * 7) % foreign.length] : block[slot];
    return { templates: templates as Templates, values: NO_VALUES };
  };

  /** Transactions one after the other, with something around each of them. */
  const written = (
    from: number,
    count: number,
    template: (templates: Templates) => Template,
    around: number,
    open: (target: Buffer, end: number, size: number, isFirst: boolean) => number,
    close: (target: Buffer, end: number) => number,
  ): Buffer => {
    const first = from - FIRST_VERSION;
    const parts = Array.from({ length: count }, (_, i) => at(first + i));
    const size = parts.reduce((sum, { templates }) => sum + template(templates).size + around, around);
    const target = Buffer.allocUnsafe(size);
    let end = 0;
    parts.forEach(({ templates, values }, i) => {
      const one = template(templates);
      end = open(target, end, one.size, i === 0);
      end = one.write(target, end, { version: from + i, timeUs: timeUsOf(first + i) }, values);
    });
    return target.subarray(0, close(target, end));
  };

  return {
    first: FIRST_VERSION,
    last: FIRST_VERSION + history.transactions - 1,
    timeUs: (version) => timeUsOf(version - FIRST_VERSION),
    message: (from, count) =>
      written(
        from,
        count,
        ({ wire }) => wire,
        1 + LENGTH_BYTES_MAX,
        (target, end, size) => {
          target[end] = 0x0a;
          return writeVarint(target, end + 1, size);
        },
        (target, end) => {
          target[end] = 0x10;
          return writeVarint(target, end + 1, CHAIN_ID);
        },
      ),
    page: (from, count) =>
      written(
        from,
        count,
        ({ rest }) => rest,
        2,
        (target, end, _size, isFirst) => target.write(isFirst ? '[' : ',', end, 'latin1') + end,
        (target, end) => target.write(count === 0 ? '[]' : ']', end, 'latin1') + end,
      ),
    wireBytes() {
      let sum = 0;
      for (let index = 0; index < history.transactions; index++) sum += at(index).templates.wire.size;
      return sum;
    },
  };
}
