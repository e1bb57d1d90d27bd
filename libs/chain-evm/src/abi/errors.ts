import { WorkerError } from '@imart/core';

/**
 * A log whose topics or data are not a valid encoding of the event it claims to be. The same log fails the same way
 * every time: park it with its raw bytes, do not retry. `reason` says what is wrong, `path` which parameter
 * (`offer[].token`), or is absent when the fault is of the log as a whole.
 */
export class EventDecodeError extends WorkerError {
  readonly event: string;
  readonly reason: string;
  readonly path: string | undefined;

  constructor(place: { event: string; topic0: string; reason: string; path?: string | undefined }) {
    const where = place.path === undefined ? '' : ` at ${place.path}`;
    super(`the log is not a valid ${place.event} event${where}: ${place.reason}`, {
      code: 'EVENT_DECODE',
      disposition: 'park',
      fields: { ...place },
    });
    this.event = place.event;
    this.reason = place.reason;
    this.path = place.path;
  }
}

/** An event signature that cannot be compiled. A fault of the program or its configuration, found at start. */
export class EventSignatureError extends WorkerError {
  constructor(signature: string, problem: string, cause?: unknown) {
    super(`event signature "${signature}" cannot be compiled: ${problem}`, {
      code: 'EVENT_SIGNATURE',
      disposition: 'stop',
      fields: { signature, problem },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Thrown by the readers, which know the parameter but not the event; the decoder turns it into {@link EventDecodeError}. */
export class MalformedEncoding extends Error {
  constructor(
    readonly reason: string,
    readonly path: string | undefined,
  ) {
    super(reason);
  }
}

/** Leaves a reader. A function of its own so that the readers stay small enough to be inlined. */
export function malformed(reason: string, path?: string): never {
  throw new MalformedEncoding(reason, path);
}
