export {
  notificationId,
  openNotifications,
  type NotificationStore,
  type OpenNotificationsOptions,
  type OutgoingNotification,
  type ReaderPosition,
  type ReconcileOutcome,
} from './notificationStore';
export type { ToldChange } from './toldEvents';
export type { ToldNotification } from './toldNotification';
