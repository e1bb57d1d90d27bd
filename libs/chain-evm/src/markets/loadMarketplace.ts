import { AGGREGATE, marketEventCodec, type MarketEventData, type MarketEventName } from '@imart/market';
import { messageOf, WorkerError } from '@imart/core';
import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from '../marketplace';

const EXTENSIONS = ['.js', '.cjs', '.mjs'];

/** A file that is no marketplace. Every problem is named with its field; nothing of the file is used. */
export class MarketplaceFileError extends WorkerError {
  readonly problems: readonly string[];

  constructor(path: string, problems: readonly string[], cause?: unknown) {
    super(
      `marketplace file ${path} is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
      {
        code: 'MARKETPLACE_FILE',
        disposition: 'stop',
        fields: { path, problems },
        ...(cause === undefined ? {} : { cause }),
      },
    );
    this.problems = problems;
  }
}

/**
 * The marketplace that a JavaScript file exports as `marketplace`: CommonJS (`.js`, `.cjs`) or an ES module (`.mjs`, or `.js`
 * of a package of type `module`). The file runs with all the rights of the worker. What it emits is checked before it is
 * used: an event that is not as `MarketEventData` says parks its transaction.
 *
 * @throws {MarketplaceFileError} no such file, it cannot be run, or what it exports is not a `Marketplace`.
 */
export async function loadMarketplace(path: string): Promise<Marketplace> {
  const file = resolve(path);
  if (!EXTENSIONS.includes(extname(file))) {
    throw new MarketplaceFileError(path, [`its name must end in ${EXTENSIONS.join(', ')}`]);
  }
  if (!existsSync(file)) throw new MarketplaceFileError(path, [`there is no such file (${file})`]);
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new MarketplaceFileError(path, [`it cannot be run: ${messageOf(error)}`], error);
  }
  return marketplaceIn(exported, path);
}

/**
 * The marketplace among a module's exports, with its emitted events checked.
 * @throws {MarketplaceFileError} it is not there or not a `Marketplace`.
 */
export function marketplaceIn(exported: unknown, path: string): Marketplace {
  const named = exported as { marketplace?: unknown; default?: { marketplace?: unknown } } | null | undefined;
  const marketplace = (named?.marketplace ?? named?.default?.marketplace) as Partial<Marketplace> | undefined;
  if (typeof marketplace !== 'object' || marketplace === null) {
    throw new MarketplaceFileError(path, [`it exports no object named "marketplace"`]);
  }
  const problems = [...problemsOf(marketplace)];
  if (problems.length > 0) throw new MarketplaceFileError(path, problems);
  return checkingEvents(marketplace as Marketplace, path);
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
  return text === undefined ? 'missing' : text.slice(0, 80);
}

function* problemsOf(marketplace: Partial<Marketplace>): Generator<string> {
  const { name, topics, contracts } = marketplace as Record<string, unknown>;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    yield `marketplace.name is ${shown(name)}; it must be lower-case letters, digits, "-" and "."`;
  }
  if (!Array.isArray(topics) || topics.length === 0) {
    yield `marketplace.topics is ${shown(topics)}; it must list the first topic of every event`;
  } else {
    for (const [i, topic] of topics.entries()) {
      if (typeof topic === 'string' && /^0x[0-9a-f]{64}$/.test(topic)) continue;
      yield `marketplace.topics[${i}] is ${shown(topic)}; it must be 0x and 64 lower-case hex digits`;
    }
  }
  for (const field of ['contracts', 'needsReceipt', 'translate'] as const) {
    const value: unknown = marketplace[field];
    if (typeof value !== 'function') yield `marketplace.${field} is ${shown(value)}; it must be a function`;
  }
  const discover: unknown = marketplace.discover;
  if (discover !== undefined && typeof discover !== 'function') {
    yield `marketplace.discover is ${shown(discover)}; it must be a function, or absent`;
  }
  if (typeof contracts === 'function') yield* contractProblems(marketplace as Marketplace);
}

function* contractProblems(marketplace: Marketplace): Generator<string> {
  let list: unknown;
  try {
    list = marketplace.contracts(1);
  } catch (error) {
    yield `marketplace.contracts(1) throws: ${messageOf(error)}; it must return a list for every chain id`;
    return;
  }
  if (!Array.isArray(list)) {
    yield `marketplace.contracts(1) returns ${shown(list)}; it must return a list, empty where it is not deployed`;
    return;
  }
  for (const [i, contract] of list.entries()) {
    const address: unknown = (contract as { address?: unknown } | null)?.address;
    if (typeof address === 'string' && /^0x[0-9a-f]{40}$/.test(address)) continue;
    yield `marketplace.contracts(1)[${i}].address is ${shown(address)}; it must be 0x and 40 lower-case hex digits`;
  }
}

const AGGREGATE_TYPES: readonly string[] = Object.values(AGGREGATE);

/**
 * JavaScript lets a file do anything; the log must only ever hold what the reducers understand, and a fault of the file must
 * not be retried for ever.
 */
function checkingEvents(marketplace: Marketplace, path: string): Marketplace {
  const { name, topics } = marketplace;
  return {
    name,
    topics,
    contracts: (chainId) => marketplace.contracts(chainId),
    needsReceipt: (log) => orElse(true, () => marketplace.needsReceipt(log)),
    translate(transaction, emit) {
      const checked = checkedEmit(transaction, emit, path);
      try {
        marketplace.translate(transaction, checked);
      } catch (error) {
        if (error instanceof WorkerError) throw error;
        throw new WorkerError(
          `marketplace file ${path} fails on transaction ${transaction.hash}: ${messageOf(error)}`,
          {
            code: 'MARKETPLACE_FAILED',
            disposition: 'park',
            cause: error,
            fields: { path, txHash: transaction.hash },
          },
        );
      }
    },
    ...(marketplace.discover === undefined
      ? {}
      : { discover: (log) => orElse([], () => (marketplace as Required<Marketplace>).discover(log)) }),
  };
}

/** These are asked before `translate`, which meets the same log and can say why it fails. */
function orElse<T>(fallback: T, ask: () => T): T {
  try {
    return ask();
  } catch {
    return fallback;
  }
}

function checkedEmit(transaction: MarketTransaction, emit: EmitMarketEvent, path: string): EmitMarketEvent {
  return (log, aggregateType, aggregateId, name, data) => {
    const problem = !transaction.logs.includes(log)
      ? 'its log is not one of the transaction’s'
      : !AGGREGATE_TYPES.includes(aggregateType)
        ? `there is no aggregate type ${shown(aggregateType)}`
        : typeof aggregateId !== 'string' || aggregateId === ''
          ? `its aggregate id is ${shown(aggregateId)}`
          : dataProblem(name, data);
    if (problem !== null) {
      throw new WorkerError(
        `marketplace file ${path} emits an event ${shown(name)} that is not usable: ${problem}`,
        {
          code: 'MARKETPLACE_EVENT',
          disposition: 'park',
          fields: { path, name, txHash: transaction.hash },
        },
      );
    }
    emit(log, aggregateType, aggregateId, name, data);
  };
}

/** Data is right when its stored form reads back as the same: no number for a bigint, no field missing or too many. */
function dataProblem<Name extends MarketEventName>(name: Name, data: MarketEventData[Name]): string | null {
  let stored: unknown;
  try {
    stored = marketEventCodec.decode(name, marketEventCodec.encode(name, data));
  } catch (error) {
    return messageOf(error);
  }
  if (isDeepStrictEqual(stored, data)) return null;
  const given = data as Readonly<Record<string, unknown>>;
  const expected = stored as Readonly<Record<string, unknown>>;
  const fields = new Set([...Object.keys(expected), ...Object.keys(given)]);
  const wrong = [...fields].find(
    (field) => !(field in given) || !isDeepStrictEqual(expected[field], given[field]),
  );
  return `field "${wrong ?? ''}" is missing, not known, or of another type than MarketEventData says (quantities are bigint)`;
}
