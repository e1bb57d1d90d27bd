import type { Mutant } from '../mutants';

const NOTIFIER = ['libs/worker/src/notifications/notifier.int.spec.ts'];

/** Notifications and the cache. */
export const READER_MUTANTS: readonly Mutant[] = [
  {
    name: 'told-before-final',
    breaks: 'accounts are told of what may still be rolled back, though configured not to be',
    patches: [
      {
        file: 'libs/worker/src/notifications/notifier.ts',
        search: 'if (last > position.finalized) {',
        replace: 'if (last > position.finalized && position.epoch < 0n) {',
      },
    ],
    suite: { files: NOTIFIER, only: 'when final' },
  },
  {
    name: 'notifications-unfenced',
    breaks: 'a process that was paused writes notifications after another one has taken over',
    patches: [
      {
        file: 'libs/storage/src/notifications/notificationStore.ts',
        search: 'AND name = $2 AND fencing = $3 RETURNING 1',
        replace: 'AND name = $2 AND fencing <= $3 + 1000 RETURNING 1',
      },
    ],
    suite: { files: NOTIFIER, only: 'a paused one cannot write any more' },
  },
  {
    name: 'history-told',
    breaks: 'a history that is read late is told to everybody',
    patches: [
      {
        file: 'libs/storage/src/notifications/notificationStore.ts',
        search: 'sinceUs === null || event.source.timeUs >= sinceUs',
        replace: 'true',
      },
      {
        file: 'libs/worker/src/notifications/notifier.ts',
        search: '.filter(({ source }) => sinceUs === null || source.timeUs >= sinceUs)',
        replace: '.filter(() => true)',
      },
    ],
    suite: { files: NOTIFIER, only: 'from a moment on' },
  },
  {
    name: 'late-answer-good',
    breaks: 'an answer that was read before a change and kept after it was dropped is given',
    patches: [
      {
        file: 'libs/stream/src/readCache.ts',
        search: 'if touched and tonumber(touched) > tonumber(kept[2]) then return feed end',
        replace: 'if false then return feed end',
      },
    ],
    suite: { files: ['libs/stream/src/readCache.int.spec.ts'], only: '(E18)' },
  },
  {
    name: 'replica-answer-kept',
    breaks: 'what a replica that is behind gives is kept as if it had everything',
    patches: [
      {
        file: 'apps/api/src/answerCache.ts',
        search: 'if (cursor.lastFeedNo < position.feedNo) return false;',
        replace: '',
      },
    ],
    suite: { files: ['apps/api/src/answerCache.int.spec.ts'], only: 'behind what was dropped' },
  },
];
