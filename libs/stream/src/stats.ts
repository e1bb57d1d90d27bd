/** What the stream counts. Plain numbers; metrics read them. */
export interface WakeUpStats {
  /** Given to the backend, duplicates included. */
  sent: number;
  /** Calls of `send` that failed. */
  sendErrors: number;
  /** Handlers that gave a fate. */
  handled: number;
  /** Handlers that threw. */
  failed: number;
  /** Jobs that were taken over from a worker that did not renew its lock. */
  stalled: number;
  /** Errors that the backend reported by itself: lost connections, mostly. */
  backendErrors: number;
}

export function createWakeUpStats(): WakeUpStats {
  return { sent: 0, sendErrors: 0, handled: 0, failed: 0, stalled: 0, backendErrors: 0 };
}
