/** A lock that its waiters get in the order in which they asked. */
export interface Mutex {
  /** Resolves with the function that lets go. */
  lock(): Promise<() => void>;
}
export declare function createMutex(): Mutex;
