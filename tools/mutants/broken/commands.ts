import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const at =
  (file: string) =>
  (search: string, replace: string): Patch => ({ file, search, replace });

const inStorage = (name: string) => at(`libs/storage/src/commands/${name}.ts`);
const inApi = (name: string) => at(`apps/api/src/${name}.ts`);

const REQUESTS = (only: string): Suite => ({
  files: ['libs/storage/src/commands/requests.int.spec.ts'],
  only,
});

const TOGETHER = (only: string): Suite => ({
  files: ['libs/storage/src/commands/groupCommit.int.spec.ts'],
  only,
});

const PERSONAL = (only: string): Suite => ({
  files: ['libs/storage/src/commands/personalData.int.spec.ts'],
  only,
});

const ARCHIVE = (only: string): Suite => ({
  files: ['libs/storage/src/commands/archive.int.spec.ts'],
  only,
});

/** Commands, and what is told of their events. */
export const COMMAND_MUTANTS: readonly Mutant[] = [
  {
    name: 'snapshot-of-somebody-forgotten',
    breaks: 'a state that was folded before a person was forgotten is kept as a snapshot afterwards',
    patches: [inStorage('reads')('AND (SELECT count(*) FROM keys) = cardinality($9::bigint[])', '')],
    suite: PERSONAL('comes back in none that was folded before'),
  },
  {
    name: 'forgotten-but-in-snapshots',
    breaks: 'snapshots keep the data of a person who is forgotten',
    patches: [
      inStorage('personKeys')(
        'DELETE FROM snapshots s USING',
        'DELETE FROM snapshots s USING subjects none,',
      ),
      inStorage('personKeys')(
        'WHERE u.key_id = $1 AND s.subject',
        'WHERE none.id < 0 AND u.key_id = $1 AND s.subject',
      ),
    ],
    suite: PERSONAL('goes with the snapshots'),
  },
  {
    name: 'archived-before-its-readers',
    breaks: 'an aggregate is archived though a reader of the feed has not come to it',
    patches: [inStorage('archive')(': last.behind', ': last.behind && lanes < 0')],
    suite: ARCHIVE('waits for what is young'),
  },
  {
    name: 'archived-without-its-snapshot',
    breaks: 'the archive has no final snapshot',
    patches: [
      inStorage('archive')(
        'SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT',
        'SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE false AND (SELECT',
      ),
    ],
    suite: ARCHIVE('has the events of what is finished'),
  },
  {
    name: 'archive-not-asked-for',
    breaks: 'an archived aggregate begins anew with the next command',
    patches: [
      inStorage('requestReads')(
        "${isArchived('$1', 'a.hash', '$3', 'a.id')} AS archived",
        'false AS archived',
      ),
    ],
    suite: ARCHIVE('takes no more commands'),
  },
  {
    name: 'queue-cursor-before-it-is-taken',
    breaks: 'an event counts as told when its job is made: lost with its Redis, it is never told',
    patches: [
      at('libs/stream/src/eventQueue.ts')(
        'if (job === undefined) await ask(backend, () => add(queue, id, data));',
        'if (job === undefined) return void (await ask(backend, () => add(queue, id, data)));',
      ),
    ],
    suite: {
      files: ['libs/stream/src/eventQueue.int.spec.ts'],
      only: 'moves the cursor of its subscription',
    },
  },
  {
    name: 'marker-not-compared',
    breaks: 'a command is marked though another one was marked since it was validated (E2)',
    patches: [inStorage('markBatch')('ELSE m.version < a.version AND NOT a.guessed END', 'ELSE true END')],
    suite: REQUESTS('(E2)'),
  },
  {
    name: 'guess-not-compared',
    breaks: 'a command is marked on a guess though the marker is of another event (E4)',
    patches: [
      inStorage('markBatch')(
        "a.validated_id IS NULL OR m.event_id = decode(a.validated_id, 'hex')",
        "a.validated_id IS NULL OR m.event_id <> ''",
      ),
    ],
    suite: TOGETHER('of the same version is another event'),
  },
  {
    name: 'guess-refuses',
    breaks: 'a rule refuses a command because of an event that was overtaken (E2)',
    patches: [
      at('libs/event-service/src/eventService.ts')(
        "if (reading.hint !== true || considered.kind === 'accepted')",
        "if (reading.hint !== true || considered.kind !== 'kept')",
      ),
    ],
    suite: TOGETHER('refuses nothing'),
  },
  {
    name: 'neighbours-fail-together',
    breaks: 'a command that the database refuses fails all that came at the same time',
    patches: [inStorage('marks')('if (!isUndone(error)) throw error;', 'if (isUndone(error)) throw error;')],
    suite: TOGETHER('do not fail with one'),
  },
  {
    name: 'neighbours-wait-together',
    breaks: 'commands wait for the marker of another one that came at the same time',
    patches: [
      inStorage('marks')('requests, BATCH_LOCK_TIMEOUT_MS)', 'requests, BATCH_LOCK_TIMEOUT_MS * 1e4)'),
    ],
    suite: TOGETHER('do not wait with one'),
  },
  {
    name: 'plans-of-small-tables',
    breaks: 'a plan that was made for small tables reads whole large ones',
    patches: [
      inStorage('prepared')(
        'SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off',
        'SET LOCAL plan_cache_mode = force_generic_plan',
      ),
    ],
    suite: { files: ['libs/storage/src/commands/plans.int.spec.ts'] },
  },
  {
    name: 'marker-believed-over-the-log',
    breaks: 'a marker that is behind the log is believed (E2)',
    patches: [
      inStorage('markBatch')(
        'AND e.aggregate_id = a.id AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1), 0) <= a.version',
        'AND e.aggregate_id = a.id AND false ORDER BY e.version DESC LIMIT 1), 0) <= a.version',
      ),
    ],
    suite: REQUESTS('(E2)'),
  },
  {
    name: 'marker-expires-under-its-message',
    breaks: 'a marker is removed while its message waits (E3)',
    patches: [
      inStorage('marks')(
        'AND NOT EXISTS (SELECT FROM command_outbox o WHERE o.subject = $1 AND o.aggregate_id = m.aggregate_id) RETURNING 1',
        'RETURNING 1',
      ),
    ],
    suite: REQUESTS('(E3)'),
  },
  {
    name: 'stream-taken-though-behind',
    breaks: 'commands are taken however long the first of them waits (E3)',
    patches: [
      at('libs/event-service/src/eventService.ts')(
        "if (lagMs > lagMaxMs) return { kind: 'behind' };",
        'void [lagMs, lagMaxMs];',
      ),
    ],
    suite: REQUESTS('(E3)'),
  },
  {
    name: 'idempotency-key-of-another-body',
    breaks: 'a key that was used for another command gives that one’s answer (E5)',
    patches: [
      at('libs/event-service/src/eventService.ts')(
        'if (kept.bodyHash === bodyHash) return kept.answer;',
        'if (kept.bodyHash !== bodyHash || kept.answer !== undefined) return kept.answer;',
      ),
    ],
    suite: REQUESTS('(E5)'),
  },
  {
    name: 'commands-appended-without-the-lock',
    breaks: 'two workers append at the same time (E1, E20)',
    patches: [
      inStorage('append')(
        'first: [`SELECT id FROM subjects WHERE id = ${subject} FOR UPDATE`]',
        'first: [`SELECT id FROM subjects WHERE id = ${subject}`]',
      ),
    ],
    suite: {
      files: [
        'libs/storage/src/commands/worker.int.spec.ts',
        'libs/storage/src/commands/readers.int.spec.ts',
      ],
      only: ['(E1, E20)', '(E19)', '(E6, E7)'],
    },
  },
  {
    name: 'snapshot-of-any-reducer-version',
    breaks: 'a snapshot of another version of the reducer is used (E8)',
    patches: [
      inStorage('reads')(
        'AND s.aggregate_id = k.id AND s.reducer_version = $5 AND s.seq_no <= k.last ORDER BY s.seq_no DESC LIMIT 1) s\n  )',
        'AND s.aggregate_id = k.id AND s.reducer_version <> $5 - 1000 AND s.seq_no <= k.last ORDER BY s.seq_no DESC LIMIT 1) s\n  )',
      ),
    ],
    suite: { files: ['libs/storage/src/commands/states.int.spec.ts'], only: '(E8)' },
  },
  {
    name: 'subscription-cursor-not-fenced',
    breaks: 'who has lost a subscription may still move its cursor (E12)',
    patches: [
      inStorage('subscriptions')(
        "WHERE subject = $1 AND name = $2 AND fencing = $3',\n          [...key, fencing.toString(), afterFeedNo",
        "WHERE subject = $1 AND name = $2 AND fencing >= $3',\n          [...key, fencing.toString(), afterFeedNo",
      ),
    ],
    suite: {
      files: ['libs/storage/src/commands/subscriptions.int.spec.ts'],
      only: 'the first cannot move the cursor any more',
    },
  },
  {
    name: 'stream-resumed-after-the-change',
    breaks: 'a stream that was cut within a change goes on after it (E12)',
    patches: [
      inApi('resources/streams/cursorText')(
        'return { afterFeedNo: partSeqNo === null ? number : number - 1n, partSeqNo };',
        'return { afterFeedNo: number, partSeqNo: null };',
      ),
    ],
    suite: {
      files: ['apps/api/src/resources/streams/streams.int.spec.ts'],
      only: 'goes on after Last-Event-ID',
    },
  },
  {
    name: 'webhook-address-not-checked-again',
    breaks: 'a name that leads into one’s own network when it is delivered to is asked',
    patches: [
      inApi('webhooks/addresses')(
        'if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) throw notPublic(host);',
        'void allowPrivate;',
      ),
    ],
    suite: { files: ['apps/api/src/webhooks/addresses.unit.spec.ts'] },
  },
  {
    name: 'key-scope-not-checked',
    breaks: 'a key may do what it has no scope for',
    patches: [
      inApi('access/keyAccess')(
        'if (!key.scopes.some((given) => scope === given || scope.startsWith(`${given}:`))) {',
        'if (key.scopes.length === 0) {',
      ),
    ],
    suite: { files: ['apps/api/src/access/keyAccess.unit.spec.ts'] },
  },
];
