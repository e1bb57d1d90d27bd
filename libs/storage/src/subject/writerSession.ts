/** A transaction that says nothing for so long belongs to a process that is paused, or blocked beyond what folding takes. */
const IDLE_TRANSACTION_MAX_MS = 30_000;

/**
 * What every connection that writes sets: locks of a process that is paused, or whose host is gone without a word, are let go by
 * the server. A killed process needs none of it: its connections are closed by its host.
 */
export const WRITER_SESSION = [
  `SET idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MAX_MS}`,
  'SET tcp_keepalives_idle = 5',
  'SET tcp_keepalives_interval = 2',
  'SET tcp_keepalives_count = 3',
].join('; ');
