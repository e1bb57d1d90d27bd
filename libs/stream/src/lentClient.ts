import { Client } from 'pg';

/**
 * One of BullMQ's connections. When it dies while nobody listens to it, between two statements, at once after it was made, or while it is being
 * closed, that would end the process (Q12). The next statement fails, and that is what counts.
 */
export class LentClient extends Client {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'error' && this.listenerCount('error') === 0) return false;
    return super.emit(event, ...args);
  }
}
