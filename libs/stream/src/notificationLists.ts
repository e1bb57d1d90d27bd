import type { RedisLink } from './redisLink';

/** @defaultValue for `lengthMax` */
export const NOTIFICATION_LIST_MAX_DEFAULT = 1_000;
/** A list that nothing was pushed to for so long is forgotten: 30 days. */
export const NOTIFICATION_LIST_TTL_SECONDS = 30 * 86_400;

/** The list of one receiver, newest first. */
export const notificationListKey = (receiver: string): string =>
  `imart:notifications:${receiver.toLowerCase()}`;

/** What is pushed to a receiver's list. The names are what clients read. */
export interface NotificationMessage {
  /** The same for every push of one notification. */
  readonly id: string;
  /** 1, 2, 3 ...: of one id the greatest holds. */
  readonly revision: number;
  /** `true`: it turned out not to have happened. */
  readonly retracted: boolean;
  readonly receiver: string;
  readonly title: string;
  readonly content: string;
  readonly image: string;
  readonly type: string;
  readonly unread: boolean;
  /** Chain time in milliseconds since 1970. */
  readonly timestamp: number;
  readonly detail: Readonly<Record<string, string | number | null>>;
}

/** The lists of all receivers. */
export interface NotificationLists {
  /**
   * Pushes messages to the heads of their receivers' lists, in this order, and cuts lists that are longer than they may be.
   * @returns `false`: Redis is away; some may have been pushed: push them all again.
   */
  push(messages: readonly NotificationMessage[]): Promise<boolean>;
}

export function createNotificationLists(redis: RedisLink, lengthMax: number): NotificationLists {
  return {
    async push(messages) {
      const done = await redis.ask(async (client) => {
        const commands = client.pipeline();
        for (const message of messages)
          commands.lpush(notificationListKey(message.receiver), JSON.stringify(message));
        for (const receiver of new Set(messages.map((message) => message.receiver))) {
          commands.ltrim(notificationListKey(receiver), 0, lengthMax - 1);
          commands.expire(notificationListKey(receiver), NOTIFICATION_LIST_TTL_SECONDS);
        }
        for (const [error] of (await commands.exec()) ?? []) if (error !== null) throw error;
        return true;
      });
      return done ?? false;
    },
  };
}
