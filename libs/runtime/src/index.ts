/**
 * What every process needs: typed configuration, logger, metrics, health, shutdown. Guarantees: nothing here reads the
 * environment by itself; all problems of the settings are told at once; no secret that the logger was told of, and no
 * URL's credentials, key or query, is printed.
 */
export { createHealthServer, runChecks } from './createHealthServer';
export type {
  Check,
  CheckResult,
  Checks,
  HealthReport,
  HealthServer,
  HealthServerOptions,
} from './createHealthServer';
export { createShutdown, type ProcessEvents, type Shutdown, type ShutdownOptions } from './createShutdown';
export { defineConfig, defineSetting } from './config/defineConfig';
export type { ConfigOf, ConfigSchema, Setting } from './config/defineConfig';
export { loadConfig, type Environment, type LoadedConfig } from './config/loadConfig';
export { renderConfigTable, renderEnvExample } from './config/renderConfig';
export { validValueOf } from './config/validValueOf';
export {
  bigInteger,
  flag,
  integer,
  listOf,
  oneOf,
  port,
  text,
  url,
  zodValue,
  type ValueType,
} from './config/valueTypes';
export { listen, toConfigError, type ListenOptions } from './listen';
export { createLogger, logLevels } from './logging/createLogger';
export type { LoggerOptions, LogLevel, ProcessLogger } from './logging/createLogger';
export { createRedactor, type Redactor } from './logging/createRedactor';
export { silentLogger, type LogFields, type Logger } from './logging/logger';
export { labelOfUrl, redactUrls } from './logging/redactUrls';
export { toPlain } from './logging/toPlain';
export { createMetrics } from './metrics';
export type { CounterMetric, GaugeMetric, HistogramMetric, Labels, Metrics, MetricsOptions } from './metrics';
