import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { aggregateKeyText, type CommandEventData, type EventDataCodec, type EventId } from '@imart/core';
import { retryDelayMs, type RetrySchedule } from '@imart/pipeline';
import type { AggregateDefinition, Proposed } from './aggregate';
import { ARCHIVED } from './archiver';
import { canonicalJson } from './canonicalJson';
import { createCommandCodec, markedEvent } from './codec';
import { checkAggregateId, decide, parseProposed, type Decision } from './decide';
import {
  CommandConflictError,
  CommandInvalidError,
  IdempotencyConflictError,
  StreamBehindError,
  UnknownAggregateTypeError,
} from './errors';
import { createKeyedQueue } from './keyedQueue';
import type { PersonKey } from './personalData';
import { personOf } from './personOf';
import type {
  Answer,
  CommandStore,
  IdempotencyKey,
  KeptAnswer,
  KeptEvent,
  PositionFate,
  RequestReading,
} from './ports';
import { waitForPosition, type WaitOptions } from './waitFor';

/** What somebody asks for. */
export interface CommandRequest {
  readonly type: string;
  readonly id: string;
  /** Name of the event. */
  readonly name: string;
  readonly data: unknown;
  /** Asking again with it gives the first answer again. @defaultValue every request is a new one */
  readonly idempotencyKey?: string;
  /** Version that the latest event must have; 0: there must be none. @defaultValue any */
  readonly expectedVersion?: number;
  /** Who asks. @defaultValue `''` */
  readonly actor?: string;
  /** @defaultValue the event's own id: it is the first of its story */
  readonly correlationId?: string;
  /** The event that this answers to. @defaultValue none */
  readonly causationId?: string;
}

/** The answer, and whether it was given before. An accepted command is durable; `version` is the position to wait for. */
export type RequestAnswer = Answer & { readonly repeated: boolean };

export interface EventServiceOptions {
  /** The store of each aggregate type. */
  readonly stores: ReadonlyMap<
    string,
    { readonly definition: AggregateDefinition; readonly store: CommandStore }
  >;
  /** Gives a UUID that was never given. */
  readonly newId: () => string;
  readonly random: () => number;
  /** Told after a command was accepted: whoever appends need not wait for its next look. */
  readonly onAccepted?: (type: string) => void;
  /** How often a command is validated anew because others were faster. @defaultValue {@link MARK_ATTEMPTS_MAX_DEFAULT} */
  readonly markAttemptsMax?: number;
  /** Commands waiting for longer than this: no new ones are taken. @defaultValue {@link LAG_MAX_MS_DEFAULT} */
  readonly lagMaxMs?: number;
}

/** @defaultValue for `markAttemptsMax`: of the processes that change one aggregate, each loses against all others at most so often. */
export const MARK_ATTEMPTS_MAX_DEFAULT = 50;

/** @defaultValue for `lagMaxMs`: half of how long a marker is kept (E3) */
export const LAG_MAX_MS_DEFAULT = 1_800_000;

const CONFLICT_RETRY: RetrySchedule = { firstMs: 1, maxMs: 50 };

/** Takes commands: validated against the latest accepted event alone, answered when they are durable, applied later. */
export interface EventService {
  /**
   * @returns `accepted` when marker and message are committed; `refused`, and by which rule, when nothing was.
   * @throws {UnknownAggregateTypeError}
   * @throws {CommandInvalidError} what is asked for has not the form of its type.
   * @throws {IdempotencyConflictError}
   * @throws {CommandConflictError} `retry`
   * @throws {StreamBehindError} `retry`
   * @throws {StorageUnavailableError} `retry`: it may have been accepted all the same. With an idempotency key it is safe to ask again.
   */
  request(request: CommandRequest): Promise<RequestAnswer>;
  /**
   * Waits until the event at a position is executed, so that whoever asked reads their own write.
   * @returns `pending` when it was not within the time.
   */
  waitFor(type: string, id: string, version: number, options: WaitOptions): Promise<PositionFate>;
}

/** An idempotency key has as many characters at most. */
const IDEMPOTENCY_KEY_LENGTH_MAX = 256;

export function createEventService(options: EventServiceOptions): EventService {
  const {
    stores,
    newId,
    random,
    onAccepted = () => undefined,
    markAttemptsMax = MARK_ATTEMPTS_MAX_DEFAULT,
    lagMaxMs = LAG_MAX_MS_DEFAULT,
  } = options;
  const codecs = new Map(
    [...stores].map(([type, { definition, store }]) => [
      type,
      createCommandCodec(definition, store.personalData),
    ]),
  );

  const opened = (
    type: string,
  ): { definition: AggregateDefinition; store: CommandStore; codec: EventDataCodec } => {
    const found = stores.get(type);
    const codec = codecs.get(type);
    if (found === undefined || codec === undefined) throw new UnknownAggregateTypeError(type);
    return { ...found, codec };
  };

  const queue = createKeyedQueue();

  /** What a command comes to, and by which reading. A hint may accept, no more: what would be refused, or has an answer, is looked at. */
  const consider = async (asked: Asked): Promise<Considered & { readonly reading: RequestReading }> => {
    const { request, store, idempotency } = asked;
    const reading = await store.readForRequest(request.id, idempotency);
    const considered = considerReading(asked, reading, lagMaxMs);
    if (reading.hint !== true || considered.kind === 'accepted') return { ...considered, reading };
    const fresh = await store.readForRequest(request.id, idempotency, true);
    return { ...considerReading(asked, fresh, lagMaxMs), reading: fresh };
  };

  /** Validates and marks until it is decided, or the bound is reached. */
  const ask = async (asked: Asked): Promise<RequestAnswer> => {
    const { request, definition, store, idempotency, bodyHash } = asked;
    for (let attempt = 1; attempt <= markAttemptsMax; attempt++) {
      const considered = await consider(asked);
      if (considered.kind === 'kept') return { ...answerOf(considered.kept, asked), repeated: true };
      if (considered.kind === 'behind')
        throw new StreamBehindError(request.type, considered.reading.lagMs, lagMaxMs);
      if (considered.kind === 'refused') {
        const { kind, rule, reason } = considered;
        return refuse(asked, { kind, rule, reason });
      }
      const { marked, hint = false } = considered.reading;
      const version = (marked?.version ?? 0) + 1;
      // Asked for anew with each attempt: the person may have been forgotten between.
      const person = personOf(definition, request, considered.data);
      const personKey = person === null ? null : await store.personKey(person);
      const event = eventOf(asked, considered.data, version, newId() as EventId, personKey);
      const answer: Answer = { kind: 'accepted', eventId: event.eventId, version };
      const result = await store.mark({
        aggregateId: request.id,
        validatedVersion: version - 1,
        validatedEventId: marked?.eventId ?? null,
        hint,
        expectedVersion: request.expectedVersion ?? null,
        event,
        actor: request.actor ?? '',
        idempotency: idempotency === null ? null : { ...idempotency, bodyHash, answer },
        personKey,
      });
      if (result === 'marked') {
        onAccepted(request.type);
        return { ...answer, repeated: false };
      }
      // The first hint may have been wrong by itself, with nobody else in the way.
      const isFirstHint = hint && attempt === 1;
      if (result === 'moved' && !isFirstHint) await pause(retryDelayMs(CONFLICT_RETRY, attempt, random));
    }
    throw new CommandConflictError(request.type, request.id, markAttemptsMax);
  };

  return {
    async request(request) {
      const { definition, store, codec } = opened(request.type);
      checkAggregateId(definition, request.id);
      checkTexts(request);
      const proposed = parseProposed(definition, request.name, request.data);
      const idempotency = idempotencyOf(request);
      const bodyHash = hashOf(request, proposed, definition, store);
      const asked: Asked = { request, proposed, definition, store, codec, idempotency, bodyHash };
      return queue.run(aggregateKeyText(request.type, request.id), () => ask(asked));
    },

    waitFor: async (type, id, version, waitOptions) =>
      waitForPosition(() => opened(type).store.fateOf(id, version), waitOptions),
  };
}

/** A request whose form is right. */
interface Asked {
  readonly request: CommandRequest;
  readonly proposed: Proposed;
  readonly definition: AggregateDefinition;
  readonly store: CommandStore;
  readonly codec: EventDataCodec;
  readonly idempotency: IdempotencyKey | null;
  readonly bodyHash: string;
}

/** What one reading says of a command. */
type Considered =
  { readonly kind: 'kept'; readonly kept: KeptAnswer } | { readonly kind: 'behind' } | Decision;

function considerReading(
  { request, proposed, definition, codec }: Asked,
  { kept, marked, archived, lagMs }: RequestReading,
  lagMaxMs: number,
): Considered {
  if (kept !== null) return { kind: 'kept', kept };
  if (lagMs > lagMaxMs) return { kind: 'behind' };
  if (archived) return { kind: 'refused', rule: ARCHIVED, reason: 'it is finished, and archived' };
  const latest = marked === null ? null : markedEvent(codec, marked);
  return decide(definition, proposed, latest, request.expectedVersion ?? null);
}

/** The first answer of the key. @throws {IdempotencyConflictError} when it is that of another command. */
function answerOf(kept: KeptAnswer, { request, bodyHash }: Asked): Answer {
  if (kept.bodyHash === bodyHash) return kept.answer;
  throw new IdempotencyConflictError(request.type, request.idempotencyKey ?? '');
}

/** Keeps a refusal. The key may have been answered by another request at the same moment: then that answer counts. */
async function refuse(asked: Asked, answer: Extract<Answer, { kind: 'refused' }>): Promise<RequestAnswer> {
  const { store, request, idempotency, bodyHash } = asked;
  if (idempotency === null) return { ...answer, repeated: false };
  await store.keepRefusal({ ...idempotency, bodyHash, answer });
  const { kept } = await store.readForRequest(request.id, idempotency, true);
  return { ...(kept === null ? answer : answerOf(kept, asked)), repeated: false };
}

function eventOf(
  { request, proposed: { name }, definition, codec }: Asked,
  payload: unknown,
  version: number,
  eventId: EventId,
  personKey: PersonKey | null,
): Omit<KeptEvent, 'timeUs'> {
  const kept: CommandEventData = {
    version,
    schemaVersion: definition.events[name]?.version ?? 1,
    correlationId: request.correlationId ?? eventId,
    causationId: request.causationId ?? null,
    payload,
    ...(personKey === null ? {} : { personKey }),
  };
  return { eventId, version, name, data: codec.encode(name, kept) };
}

function idempotencyOf({ idempotencyKey, actor = '' }: CommandRequest): IdempotencyKey | null {
  return idempotencyKey === undefined ? null : { actor, key: idempotencyKey };
}

/** Of all that decides about the answer. Correlation and causation do not: a retry may carry others. */
function hashOf(
  { type, id, expectedVersion }: CommandRequest,
  { name, data }: Proposed,
  definition: AggregateDefinition,
  { personalData }: CommandStore,
): string {
  const body = canonicalJson([type, id, name, data, expectedVersion ?? null]);
  // Short texts about a person could be found again by trying: that needs the master key.
  if (definition.events[name]?.personal !== undefined && personalData !== null)
    return personalData.hash(body);
  return createHash('sha256').update(body).digest('hex').slice(0, 32);
}

/** Texts that go into columns of their own. */
function checkTexts(request: CommandRequest): void {
  const { type, idempotencyKey, actor, correlationId, causationId } = request;
  const texts = { idempotencyKey, actor, correlationId, causationId };
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined) continue;
    const tooShort = name === 'idempotencyKey' && text === '';
    if (tooShort || text.length > IDEMPOTENCY_KEY_LENGTH_MAX || /\0|\p{Surrogate}/u.test(text)) {
      throw new CommandInvalidError(type, [
        `${name}: ${name === 'idempotencyKey' ? 1 : 0} to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters, all of them valid`,
      ]);
    }
  }
}
