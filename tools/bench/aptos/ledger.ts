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

/** Transactions of the messages and pages that are ready before anybody asks. */
const READY = { grpc: 500, rest: 100 } as const;

/** The ledger as bytes. */
export interface BenchLedger {
  readonly first: number;
  readonly last: number;
  timeUs(version: number): number;
  /** A message of the stream with the transactions from one version on. */
  message(from: number, count: number): Buffer;
  /** A page of the REST API. */
  page(from: number, count: number): Buffer;
  /** Makes all messages, or all pages, of the size that a worker asks for, so that serving them is no work but sending. */
  makeReady(format: 'grpc' | 'rest'): void;
  /** Of all that is ready. */
  bytes(): number;
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

  const last = FIRST_VERSION + history.transactions - 1;
  const ready = { grpc: [] as Buffer[], rest: [] as Buffer[] };
  const readyOf = (format: 'grpc' | 'rest', from: number, count: number): Buffer | undefined => {
    const size = READY[format];
    const whole = Math.min(size, last - from + 1);
    return (from - FIRST_VERSION) % size === 0 && count === whole
      ? ready[format][(from - FIRST_VERSION) / size]
      : undefined;
  };
  const ledger: BenchLedger = {
    first: FIRST_VERSION,
    last,
    timeUs: (version) => timeUsOf(version - FIRST_VERSION),
    message: (from, count) =>
      readyOf('grpc', from, count) ??
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
      readyOf('rest', from, count) ??
      written(
        from,
        count,
        ({ rest }) => rest,
        2,
        (target, end, _size, isFirst) => target.write(isFirst ? '[' : ',', end, 'latin1') + end,
        (target, end) => target.write(count === 0 ? '[]' : ']', end, 'latin1') + end,
      ),
    makeReady(format) {
      const size = READY[format];
      const made: Buffer[] = [];
      for (let from = FIRST_VERSION; from <= last; from += size) {
        const count = Math.min(size, last - from + 1);
        made.push(format === 'grpc' ? ledger.message(from, count) : ledger.page(from, count));
      }
      ready[format] = made;
    },
    bytes: () => [...ready.grpc, ...ready.rest].reduce((sum, { length }) => sum + length, 0),
  };
  return ledger;
}
