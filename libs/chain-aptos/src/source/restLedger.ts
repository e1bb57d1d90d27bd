import type { BlockRef } from '@imart/core';
import {
  createEndpointPool,
  RpcInconsistentError,
  RpcPrunedError,
  WrongChainError,
  type EndpointPool,
  type EndpointPoolOptions,
} from '@imart/endpoints';
import { LedgerReplacedError } from '../errors';
import type { ReadTransaction } from '../read/readEvent';
import { readRestTransaction } from '../read/restTransaction';
import { readSuccessive } from './checkPage';
import { createRestEndpoint, type RestEndpoint, type RestEndpointOptions } from './restEndpoint';

export interface RestLedgerOptions
  extends
    Omit<RestEndpointOptions, 'url' | 'place' | 'chainId' | 'apiKey'>,
    Omit<EndpointPoolOptions<RestEndpoint>, 'endpoints' | 'verify'> {
  /** Names the subject in errors. */
  readonly subjectId: string;
  /** Of REST APIs of that chain, in order of preference. At least one. */
  readonly urls: readonly string[];
  /** `null`: whichever the first one serves that answers. */
  readonly chainId: number | null;
  readonly apiKey: string | null;
}

/** What a node says of its ledger. */
export interface LedgerInfo {
  readonly chainId: number;
  readonly version: bigint;
  /** Those below it are pruned. */
  readonly oldestVersion: bigint;
  readonly timestampUs: bigint;
}

/** Several fullnodes of one ledger: what every way to read it by REST needs. */
export interface RestLedger {
  readonly pool: EndpointPool<RestEndpoint>;
  ledgerInfo(signal: AbortSignal): Promise<LedgerInfo>;
  /**
   * One transaction, waited for when it is not there yet; `null` when no endpoint has it any more.
   * @param check throws {@link RpcInconsistentError} when it cannot be the one: it is asked for again.
   */
  transaction(
    version: bigint,
    signal: AbortSignal,
    check?: (transaction: ReadTransaction, endpoint: RestEndpoint) => void,
  ): Promise<ReadTransaction | null>;
  /** For one reading: whether the ledger is still the one that was read. */
  sameLedger(signal: AbortSignal, mayBeAnother: boolean): SameLedger;
}

/** Notices when who answers may be another ledger than before: the head went backwards, or a connection was lost. */
export interface SameLedger {
  /** Not known to be the same at the moment. */
  readonly isDoubtful: boolean;
  /** The head went below what was read. */
  doubt(): void;
  /**
   * Compares the last version that was read, when there is a reason to.
   * @throws {LedgerReplacedError}
   */
  assure(tip: BlockRef | null): Promise<void>;
}

/** The answer to `GET /`. @throws {RpcInconsistentError} it is none. */
export function readLedgerInfo(endpoint: string, body: string): LedgerInfo {
  const place = { endpoint, method: 'GET /' };
  let info: Record<string, unknown>;
  try {
    info = JSON.parse(body) as Record<string, unknown>;
  } catch {
    throw new RpcInconsistentError(place, 'the ledger info is no JSON');
  }
  const {
    chain_id: chainId,
    ledger_version: version,
    oldest_ledger_version: oldest,
    ledger_timestamp: timestamp,
  } = info ?? {};
  const isNumber = (text: unknown): text is string => typeof text === 'string' && /^\d{1,20}$/.test(text);
  if (typeof chainId !== 'number' || !isNumber(version) || !isNumber(oldest) || !isNumber(timestamp))
    throw new RpcInconsistentError(
      place,
      'the ledger info lacks chain_id, ledger_version, oldest_ledger_version or ledger_timestamp',
    );
  return { chainId, version: BigInt(version), oldestVersion: BigInt(oldest), timestampUs: BigInt(timestamp) };
}

export function createRestLedger(options: RestLedgerOptions): RestLedger {
  const { subjectId, chainId, logger } = options;
  const verify = async (endpoint: RestEndpoint, signal: AbortSignal): Promise<void> => {
    const info = readLedgerInfo(endpoint.label, (await endpoint.get('/', null, signal)).body);
    if (chainId !== null && info.chainId !== chainId)
      throw new WrongChainError(endpoint.label, String(chainId), String(info.chainId), 'GET /');
  };
  const pool: EndpointPool<RestEndpoint> = createEndpointPool({
    ...options,
    verify,
    endpoints: options.urls.map((url, i) => createRestEndpoint({ ...options, url, place: i + 1 })),
  });

  const ledgerInfo = (signal: AbortSignal): Promise<LedgerInfo> =>
    pool.run({
      what: 'the ledger info',
      signal,
      work: async (endpoint) => readLedgerInfo(endpoint.label, (await endpoint.get('/', null, signal)).body),
    });

  const transaction: RestLedger['transaction'] = async (version, signal, check) => {
    const path = `/transactions/by_version/${version}`;
    try {
      return await pool.run({
        what: `version ${version}`,
        signal,
        work: async (endpoint) => {
          const { body } = await endpoint.get(path, version, signal);
          const place = { endpoint: endpoint.label, method: `GET ${path}` };
          const [read] = readSuccessive(place, version, 1, () => [readRestTransaction(JSON.parse(body))]);
          check?.(read as ReadTransaction, endpoint);
          return read as ReadTransaction;
        },
      });
    } catch (error) {
      if (error instanceof RpcPrunedError) return null;
      throw error;
    }
  };

  /** Whether what was read is still what the ledger has: asked when it may have been started anew. */
  const checkSameLedger = async (tip: BlockRef, signal: AbortSignal): Promise<void> => {
    const found = await transaction(tip.position, signal);
    if (found === null) {
      logger.warn(
        'the last version that was read is pruned: it cannot be checked that the ledger is the same',
        {
          version: tip.position,
        },
      );
      return;
    }
    const { accumulatorRootHash: seen } = found;
    if (seen !== tip.hash)
      throw new LedgerReplacedError(subjectId, pool.preferred().label, tip.position, tip.hash, seen);
  };

  return {
    pool,
    ledgerInfo,
    transaction,
    sameLedger(signal, mayBeAnother) {
      let isDoubtful = mayBeAnother;
      let lost = lostConnections(pool);
      return {
        get isDoubtful() {
          return isDoubtful;
        },
        doubt() {
          isDoubtful = true;
        },
        async assure(tip) {
          while (tip !== null && (isDoubtful || lostConnections(pool) !== lost)) {
            lost = lostConnections(pool);
            isDoubtful = true;
            await checkSameLedger(tip, signal);
            isDoubtful = false;
          }
        },
      };
    },
  };
}

/** How often a connection was refused or broke off: what comes back may have been started anew. */
function lostConnections(pool: EndpointPool<RestEndpoint>): number {
  return pool.stats().reduce((sum, { errors }) => sum + (errors['RPC_UNAVAILABLE'] ?? 0), 0);
}
