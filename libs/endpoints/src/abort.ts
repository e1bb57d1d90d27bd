import { setMaxListeners } from 'node:events';

/** A controller that aborts with its parent, until it is released. `AbortSignal.any` keeps its sources' listeners for long. */
export interface ChildAbort {
  readonly signal: AbortSignal;
  abort(reason?: Error): void;
  /** Lets go of the parent. */
  release(): void;
}

export function childAbort(parent: AbortSignal): ChildAbort {
  const controller = new AbortController();
  // Each request on its way listens; their number is bounded elsewhere.
  setMaxListeners(0, controller.signal);
  const follow = (): void => controller.abort(parent.reason as Error);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  const release = (): void => parent.removeEventListener('abort', follow);
  return {
    signal: controller.signal,
    abort(reason) {
      release();
      controller.abort(reason);
    },
    release,
  };
}
