import { ConfigError, type WorkerError } from '@imart/core';
import { RPC_POOL_DEFAULTS } from '@imart/endpoints';
import { waitMs } from '@imart/pipeline';
import type { CheckResult, ConfigOf, Logger } from '@imart/runtime';
import { createAptosSubject, type AptosSubject } from '../createAptosSubject';
import type { AptosMarket } from '../market';
import { APTOS_HANDLE_DEFAULTS, createHandleSource } from '../source/handleSource';
import type { LedgerSource } from '../source/ledgerSource';
import { APTOS_REST_DEFAULTS, createRestSource } from '../source/restSource';
import { APTOS_STREAM_DEFAULTS, createStreamSource } from '../source/streamSource';
import { aptosSubjectId } from '../subject/options';
import { handlesText, inOrder, refusedBeside, type RegisteredLedger } from './refusedBeside';
import type { aptosChainSettings } from './aptosSettings';

/** What is needed of a program's settings to reach its ledger. */
export interface LedgerConfig extends ConfigOf<typeof aptosChainSettings> {
  readonly endVersion?: bigint | undefined;
  readonly pollIntervalMs?: number;
}

/** The ledger of the settings. */
export interface Ledger {
  readonly chainId: number;
  /** One at a time: they share the endpoints. */
  createSubject(markets: readonly AptosMarket[]): AptosSubject;
  /** Added to what is followed: of bare events, the handles that their order depends on. */
  readonly followedBy: string;
  /** Why the ledger may not be read into a database that has these subjects; `null`: it may. */
  refused(registered: readonly RegisteredLedger[]): WorkerError | null;
  /** Whether the endpoints answer. */
  health(): CheckResult;
  close(): void;
}

/**
 * Finds out which ledger the endpoints serve, unless `CHAIN_ID` says it; waits for an endpoint that answers.
 * @throws {ConfigError} the stream does not have version 0 any more, which would tell; there are no handles to read by.
 * @throws the signal's reason when it aborts.
 */
export async function openLedger(config: LedgerConfig, logger: Logger, signal: AbortSignal): Promise<Ledger> {
  const bare = config.source === 'events';
  let unavailable: string | null = null;
  const sourceOf = (chainId: number | null): LedgerSource => {
    const common = {
      ...RPC_POOL_DEFAULTS,
      subjectId: chainId === null ? 'aptos' : aptosSubjectId(chainId, bare),
      urls: config.urls,
      chainId,
      apiKey: config.apiKey ?? null,
      logger,
      random: Math.random,
      now: () => Date.now(),
      wait: waitMs,
      onAvailability: (available: boolean, reason: string) => {
        unavailable = available ? null : reason;
      },
    };
    const poll = config.pollIntervalMs === undefined ? {} : { pollIntervalMs: config.pollIntervalMs };
    switch (config.source) {
      case 'grpc':
        return createStreamSource({ ...APTOS_STREAM_DEFAULTS, ...common, ...poll });
      case 'handles':
      case 'events': {
        const { handles = [] } = config;
        if (handles.length === 0) {
          const problem = `names no handle, and APTOS_SOURCE is ${config.source}`;
          throw new ConfigError([{ setting: 'APTOS_HANDLES', problem }]);
        }
        return createHandleSource({
          ...APTOS_HANDLE_DEFAULTS,
          ...common,
          ...poll,
          handles: bare ? inOrder(handles) : handles,
          bare,
        });
      }
      case 'rest':
        return createRestSource({
          ...APTOS_REST_DEFAULTS,
          ...common,
          ...poll,
          pagesInFlightMax: config.pagesInFlight,
        });
    }
  };

  const detect = async (): Promise<number> => {
    const source = sourceOf(null);
    try {
      return await source.chainId(signal);
    } finally {
      source.close();
    }
  };

  const chainId = config.chainId === undefined ? await detect() : Number(config.chainId);
  const source = sourceOf(chainId);
  return {
    chainId,
    createSubject: (markets) =>
      createAptosSubject({
        chainId,
        source,
        markets,
        endVersion: config.endVersion ?? null,
        genesisHash: config.genesisHash ?? null,
        bareEvents: bare,
        logger,
      }),
    followedBy: bare ? handlesText(config.handles ?? []) : '',
    refused: (registered) =>
      refusedBeside(registered, {
        chainId,
        isStated: config.chainId !== undefined,
        bareEvents: bare,
        followedBy: bare ? handlesText(config.handles ?? []) : '',
      }),
    health: () => (unavailable === null ? { ok: true } : { ok: false, detail: unavailable }),
    close: () => source.close(),
  };
}
