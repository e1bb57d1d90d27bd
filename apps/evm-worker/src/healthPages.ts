import {
  createHealthServer,
  createMetrics,
  type Check,
  type Logger,
  type Metrics,
  type Shutdown,
} from '@imart/runtime';
import type { EvmWorkerConfig } from './config';

/** What must answer before the worker is ready, in the order in which it is opened. */
const PARTS = ['database', 'chain'] as const;

/** The worker's pages, which are there before anything else is. */
export interface HealthPages {
  readonly port: number;
  /** From now on this check tells of the part; before, the part counts as not ready. */
  check(part: (typeof PARTS)[number], check: Check): void;
  /** From now on these are the metrics. */
  show(metrics: Metrics): void;
}

/**
 * Opens `/healthz`, `/readyz` and `/metrics` first of all, so that a worker that waits for its database or its provider can
 * be seen to do so.
 * @throws {ConfigError} when the port cannot be had.
 */
export async function openHealthPages(
  config: EvmWorkerConfig,
  logger: Logger,
  shutdown: Shutdown,
): Promise<HealthPages> {
  const checks = new Map<string, Check>();
  let metrics = createMetrics({ processMetrics: false });
  const server = await createHealthServer({
    host: config.host,
    port: config.port,
    portSetting: 'WORKER_PORT',
    liveness: { process: () => ({ ok: true }) },
    readiness: Object.fromEntries(
      PARTS.map((part) => [part, () => checks.get(part)?.() ?? { ok: false, detail: 'not there yet' }]),
    ),
    metrics: {
      ...metrics,
      render: () => metrics.render(),
    },
    logger,
  });
  shutdown.onClose('health pages', () => server.close());
  logger.info('health pages', { host: config.host, healthPort: server.port });
  return {
    port: server.port,
    check: (part, check) => void checks.set(part, check),
    show(shown) {
      metrics = shown;
    },
  };
}
