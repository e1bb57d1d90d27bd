/**
 * Postgres. Guarantees: the events of a range and the ingested seq no commit together; states, activities and executed
 * seq no commit together; what is committed survives a kill of the worker and of the server.
 */
export * from './access';
export * from './cache';
export * from './commands';
export * from './embedded';
export * from './migrate';
export * from './notifications';
export * from './passes';
export * from './purchases';
export * from './read';
export * from './replay';
export * from './secondaryIndexes';
export * from './subject';
export { createPool, type CreatePoolOptions, type DatabasePool } from './createPool';
export { DatabaseRefusedError, toConnectError } from './databaseRefused';
export { prismaDirectory } from './prismaDirectory';
export { applyViews } from './views';
