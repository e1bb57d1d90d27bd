/** A lock that its waiters get in the order in which they asked. */
export interface Mutex {
  /** Resolves with the function that lets go. */
  lock(): Promise<() => void>;
}

export function createMutex(): Mutex {
  let tail: Promise<void> = Promise.resolve();
  return {
    lock() {
      let release: () => void = () => undefined;
      const before = tail;
      tail = new Promise<void>((resolve) => (release = resolve));
      return before.then(() => release);
    },
  };
}
