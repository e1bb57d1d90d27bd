/**
 * A real PostgreSQL from npm, for laptops, demos and tests. Guarantees: what was committed survives kill -9 of the server
 * and of its users; a cluster is either absent or whole; one server per data directory, whoever starts it, at the same time
 * too; it listens on 127.0.0.1 only, with a password of its own.
 *
 * Who stops it: every process that calls {@link startEmbeddedPostgres} on a data directory is a user of its one server, and
 * the last user that calls `stop()` stops it. A process that starts others starts the server for them and gives them its
 * `url` as their DATABASE_URL; they are then clients, not users, and must have ended before it stops. The server is in a
 * session of its own, so Ctrl-C reaches its users, not itself. If the last user is killed with kill -9, the server stays, and the
 * next start on the data directory finds it and takes it over.
 */
export { EmbeddedPostgresError, EmbeddedPostgresUnavailableError } from './errors';
export { createScratchDatabase, type ScratchDatabase } from './scratchDatabase';
export {
  defaultEmbeddedSettings,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './startEmbeddedPostgres';
