/**
 * What every process needs: typed configuration, logger, metrics, health, shutdown. Guarantees: nothing here reads the
 * process environment by itself, and no secret that it was told of is printed.
 */
export { silentLogger, type Logger, type LogFields } from './logger';
