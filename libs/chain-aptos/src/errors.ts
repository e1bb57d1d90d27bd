import { WorkerError } from '@imart/core';

/**
 * Something in a transaction is not what it claims to be: an address that is none, a field of an event that is missing or of
 * another kind. The same transaction fails the same way every time: it is kept undecodable, not retried. `path` says where
 * (`data.token_id`).
 */
export class AptosDecodeError extends WorkerError {
  readonly reason: string;
  readonly path: string | undefined;

  constructor(reason: string, path?: string) {
    super(path === undefined ? reason : `${path}: ${reason}`, {
      code: 'EVENT_DECODE',
      disposition: 'park',
      fields: { reason, ...(path === undefined ? {} : { path }) },
    });
    this.reason = reason;
    this.path = path;
  }
}

/** A source left out a version, or gave one twice: there would be a hole in the log. Nothing of it was used. */
export class VersionGapError extends WorkerError {
  constructor(subjectId: string, expected: bigint, actual: bigint) {
    super(
      `${subjectId}: version ${expected} is next, but the source gave ${actual}. Nothing of it was stored. ` +
        `Check the endpoints, or use another source`,
      { code: 'VERSION_GAP', disposition: 'stop', fields: { subjectId, expected, actual } },
    );
  }
}

/** The last version that was read is another transaction now: the network was started anew under the same chain id. */
export class LedgerReplacedError extends WorkerError {
  constructor(subjectId: string, endpoint: string, version: bigint, stored: string, seen: string) {
    super(
      `${subjectId}: ${endpoint}: version ${version} had the accumulator root ${stored} when it was read, and has ${seen} now: ` +
        `this is another ledger. Aptos takes nothing back; a network that was started anew needs an empty database`,
      {
        code: 'LEDGER_REPLACED',
        disposition: 'stop',
        fields: { subjectId, endpoint, version, stored, seen },
      },
    );
  }
}

/** The ledger's first transaction cannot be had, so that the database cannot be bound to the ledger. */
export class GenesisUnavailableError extends WorkerError {
  constructor(subjectId: string) {
    super(
      `${subjectId}: no endpoint serves version 0, whose hash tells this ledger from another one of the same chain id. ` +
        `Add an endpoint that has it, or state the hash (GENESIS_HASH)`,
      { code: 'GENESIS_UNAVAILABLE', disposition: 'stop', fields: { subjectId } },
    );
  }
}

/** Another first transaction than the one that was stated. */
export class WrongGenesisError extends WorkerError {
  constructor(subjectId: string, expected: string, actual: string) {
    super(
      `${subjectId}: version 0 has the hash ${actual}, but ${expected} was stated as the genesis hash. Correct the endpoints or the hash`,
      { code: 'WRONG_GENESIS', disposition: 'stop', fields: { subjectId, expected, actual } },
    );
  }
}

/** A resume point whose parts contradict each other. */
export class ResumePointError extends WorkerError {
  constructor(subjectId: string, detail: string) {
    super(`${subjectId}: the stored position cannot be resumed from: ${detail}`, {
      code: 'RESUME_POINT',
      disposition: 'stop',
      fields: { subjectId },
    });
  }
}

/** Transactions and bare events of one ledger have other SeqNos: they do not stand in one database. */
export class MixedSourcesError extends WorkerError {
  constructor(subjectId: string, stored: string) {
    super(
      `${subjectId}: the database has ${stored}, whose events were read ${subjectId.endsWith('-events') ? 'with their transactions' : 'without their transactions'}. ` +
        `The two are never mixed: set APTOS_SOURCE as it was, or use another database`,
      { code: 'MIXED_SOURCES', disposition: 'stop', fields: { subjectId, stored } },
    );
  }
}

/** Bare events of one version have the order of their handles: with other handles, stored places would be others. */
export class HandlesChangedError extends WorkerError {
  constructor(subjectId: string, stored: string) {
    super(
      `${subjectId}: APTOS_HANDLES names other handles than those the database was filled by (${stored}), which gives bare events other ` +
        `places. Set it as it was, or use an empty database`,
      { code: 'HANDLES_CHANGED', disposition: 'stop', fields: { subjectId, stored } },
    );
  }
}

/** A network that keeps no chain id has another one than the database knows it by. */
export class NetworkRestartedError extends WorkerError {
  constructor(subjectId: string, stored: string, chainId: number) {
    super(
      `${subjectId}: the database has ${stored}, and the endpoints serve chain id ${chainId} now: a development network that was started anew is ` +
        `another chain. Use an empty database; or set CHAIN_ID=${chainId} to keep both in this one`,
      { code: 'NETWORK_RESTARTED', disposition: 'stop', fields: { subjectId, stored } },
    );
  }
}
