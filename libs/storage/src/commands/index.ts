export {
  ANSWERS_KEPT_MS_DEFAULT,
  COMMAND_LANES_DEFAULT,
  MARKER_TTL_MS_DEFAULT,
  openCommands,
  type OpenCommandsOptions,
  type OpenedCommands,
} from './openCommands';
export { readDatabaseIdentity } from './databaseIdentity';
export { forgetPerson, type ForgottenPerson } from './personKeys';
export { readCommandReadings, type CommandReadings } from './readings';
export { openSubscription, readLastFeedNo, type OpenSubscriptionOptions } from './subscriptions';
