import { readStaleSubjects, type ReadDatabase, type StaleSubject } from '@imart/storage';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The header of answers whose states are not those of now: `eip155:1;halted, eip155:137;lagging`. */
export const STALE_HEADER = 'x-imart-stale';

/** What was found out serves the requests that come within so long. */
const VALID_MS = 500;

export interface FlagStaleOptions {
  readonly db: ReadDatabase;
  readonly staleAfterMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/**
 * Flags every answer of market data that is about a subject which stands still, lags or is silent. It is looked at before the
 * data is read: what is not flagged was fresh when it was read. Reads are served all the same.
 */
export function flagStale(app: FastifyInstance, options: FlagStaleOptions): void {
  const staleSubjects = createStaleSubjects(options);
  app.addHook('preHandler', async (request, reply) => {
    if (!request.url.startsWith('/v1/')) return;
    const asked = subjectOf(request);
    // Of aggregates, those of a chain name it; the others are of none.
    if (asked === null && /^\/v1\/(aggregates|streams|webhooks)\b/.test(request.url)) return;
    const stale = (await staleSubjects()).filter(({ subject }) => asked === null || subject === asked);
    if (stale.length > 0) {
      void reply.header(STALE_HEADER, stale.map(({ subject, reason }) => `${subject};${reason}`).join(', '));
    }
  });
}

/** The subject that a request is about; `null`: all of them. */
function subjectOf({ query, params }: FastifyRequest): string | null {
  const named = (params as { subject?: unknown })?.subject ?? (query as { subject?: unknown })?.subject;
  return typeof named === 'string' ? named : null;
}

function createStaleSubjects({ db, staleAfterMs, now }: FlagStaleOptions) {
  let last: { readonly at: number; readonly found: Promise<readonly StaleSubject[]> } | null = null;
  return async (): Promise<readonly StaleSubject[]> => {
    if (last === null || now() - last.at > VALID_MS) {
      // A database that does not answer fails the request itself, with a code of its own. Should it answer that one all the same, what
      // was stale before is taken to be so still.
      const before = last?.found ?? [];
      last = { at: now(), found: readStaleSubjects(db, staleAfterMs).catch(() => before) };
    }
    return last.found;
  };
}
