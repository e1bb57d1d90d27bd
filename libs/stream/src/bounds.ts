/** Most wake-ups in one call to the backend: one statement, or one pipeline, of about 100 kB. */
export const SEND_CHUNK_MAX = 500;

/** How long `send` waits for the backend. Beyond it the caller gets an error, and the sweeper sends what is missing. */
export const SEND_TIMEOUT_MS = 5_000;

/** How soon, and at last how often, whoever tells an event by a job looks whether it was completed. */
export const EVENT_LOOK_MIN_MS = 4;
export const EVENT_LOOK_MAX_MS = 250;
/** How many workers may die with one event before its job fails, and is made anew: both lead to the next worker. */
export const EVENT_STALLED_COUNT_MAX = 1_000;
/** Completed jobs kept for each queue of events, without their data: far more than are completed between two looks. */
export const EVENT_JOBS_KEPT = 10_000;

/** How long a worker owns a job without renewing. A blocked event loop of this length lets the job run twice (Q2). */
export const LOCK_DURATION_MS = 4_000;

/**
 * How often each lane looks for jobs of dead workers. A job is found in one look and taken over in the next one after its
 * lock has ended: at most 4 + 2 * 2 = 8 seconds after its worker died.
 */
export const STALLED_INTERVAL_MS = 2_000;

/**
 * How often a wake-up may outlive its worker before it counts as failed. Nothing depends on it: the lane's place is in the
 * database, and the sweeper sends further wake-ups.
 */
export const STALLED_COUNT_MAX = 5;

/** Finished jobs kept for each lane, to look at: their result is the fate of their event. */
export const COMPLETED_JOBS_KEPT = 200;
/** Failed jobs kept for each lane. */
export const FAILED_JOBS_KEPT = 200;

/** Wait between two tries to fetch a job from a backend that does not answer. */
export const FETCH_RETRY_DELAY_MS = 500;
/** Longest wait between two tries to connect to Redis. */
export const RECONNECT_DELAY_MAX_MS = 1_000;
/** How long the first connection may take. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** How long `stop` waits for running handlers before it leaves them to their lock's end. */
export const DRAIN_TIMEOUT_MS = 10_000;
/** How long closing a connection may take before it is cut. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** How long a closed socket may wait for the other side: it keeps the process alive. */
export const DISCONNECT_TIMEOUT_MS = 200;

/** Connections for sending, for all lanes of a process. Looking at jobs uses them too. */
export const SENDER_CONNECTIONS_MAX = 2;
/** Connections of one lane's worker besides the one that listens: one fetches and finishes, one renews locks. */
export const WORKER_CONNECTIONS_MAX = 2;

/** The same error of a backend is logged at most once in this time. */
export const ERROR_LOG_INTERVAL_MS = 10_000;
