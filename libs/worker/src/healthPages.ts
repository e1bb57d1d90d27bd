import {
  createHealthServer,
  createMetrics,
  type Check,
  type Logger,
  type Metrics,
  type Shutdown,
} from '@imart/runtime';
import { engineSettings, type WorkerConfig } from './settings';

/** What must answer before the worker is ready, in the order in which it is opened. */
const PARTS = ['database', 'chain', 'jobs'] as const;

type Part = (typeof PARTS)[number];
type Checks = Readonly<Record<string, Check>>;

/** The worker's pages, which are there before anything else is. */
export interface HealthPages {
  readonly port: number;
  /** From now on this check tells of the part; before, the part counts as not ready. */
  check(part: Part, check: Check): void;
  /** From now on these pages tell of the work itself, too. */
  show(shown: {
    readonly metrics: Metrics;
    readonly readiness: () => Checks;
    readonly progress: () => Checks;
  }): void;
}

/**
 * Opens `/healthz`, `/readyz`, `/progress` and `/metrics` first of all, so that a worker that waits for its database or its
 * provider can be seen to do so.
 * @throws {ConfigError} when the port cannot be had.
 */
export async function openHealthPages(
  config: Pick<WorkerConfig, 'host' | 'port'>,
  logger: Logger,
  shutdown: Shutdown,
): Promise<HealthPages> {
  const parts = new Map<string, Check>();
  let metrics = createMetrics({ processMetrics: false });
  let readiness = (): Checks => ({});
  let progress = (): Checks => ({});
  const server = await createHealthServer({
    host: config.host,
    port: config.port,
    portSetting: engineSettings.port.name,
    // That it answers shows that its event loop turns.
    liveness: { process: () => ({ ok: true }) },
    readiness: () => ({
      ...Object.fromEntries(
        PARTS.map((part) => [part, () => parts.get(part)?.() ?? { ok: false, detail: 'not there yet' }]),
      ),
      ...readiness(),
    }),
    progress: () => progress(),
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
    check: (part, check) => void parts.set(part, check),
    show(shown) {
      ({ metrics, readiness, progress } = shown);
    },
  };
}
