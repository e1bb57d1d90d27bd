import type { Logger } from '@imart/pipeline';
import { ERROR_LOG_INTERVAL_MS } from './bounds';

/** Logs errors of a backend; one that repeats is logged once in {@link ERROR_LOG_INTERVAL_MS}, with how often it came. */
export function createErrorLog(
  logger: Logger,
  fields: Readonly<Record<string, unknown>>,
  now: () => number,
  message = "the jobs' backend reports an error",
): (error: Error) => void {
  const seen = new Map<string, { at: number; unlogged: number }>();
  return (error) => {
    const text = error.message === '' ? error.name : error.message;
    const known = seen.get(text);
    if (known !== undefined && now() - known.at < ERROR_LOG_INTERVAL_MS) {
      known.unlogged++;
      return;
    }
    // Texts that hold changing parts must not pile up.
    if (seen.size > 100) seen.clear();
    seen.set(text, { at: now(), unlogged: 0 });
    logger.warn(message, {
      ...fields,
      error: text,
      repeated: known?.unlogged ?? 0,
    });
  };
}
