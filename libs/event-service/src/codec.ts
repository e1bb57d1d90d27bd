import { messageOf, type CommandEventData, type Event, type EventDataCodec, type EventId } from '@imart/core';
import type { AggregateDefinition, EventDefinition, Marked, Stored } from './aggregate';
import { CommandEventDataError, UnknownCommandEventError } from './errors';
import type { PersonalData } from './personalData';
import type { KeptEvent } from './ports';
import { openPayload, sealedPrefix, sealPayload, splitSealed, type SealedPayload } from './sealedData';

/** An event id as the log keeps it: 0x and 32 hex digits. */
export function eventIdHex(eventId: EventId): string {
  return `0x${eventId.replaceAll('-', '')}`;
}

/** The UUID of such hex digits, with or without 0x. */
export function eventIdOf(hex: string): EventId {
  const digits = hex.replace(/^0x/, '');
  return [0, 8, 12, 16, 20]
    .map((start, i, starts) => digits.slice(start, starts[i + 1] ?? 32))
    .join('-') as EventId;
}

const definitionOf = (definition: AggregateDefinition, name: string): EventDefinition | undefined =>
  Object.hasOwn(definition.events, name) ? definition.events[name] : undefined;

/**
 * The data of an aggregate type's events in the log: a JSON array of version, schema version, correlation id, causation id and payload;
 * of one with personal fields, these sealed after it. Reading gives the payload in its present form.
 * @param personalData seals and opens personal fields. @defaultValue none: for types without such fields
 */
export function createCommandCodec(
  definition: AggregateDefinition,
  personalData: PersonalData | null = null,
): EventDataCodec {
  const { type } = definition;
  return {
    encode(name, data) {
      const { version, schemaVersion, correlationId, causationId, payload, personKey } =
        data as CommandEventData;
      const fields = definitionOf(definition, name)?.personal?.fields ?? [];
      const { payload: open, sealed } = sealPayload(personalData, fields, payload, personKey, name);
      const list = [version, schemaVersion, correlationId, causationId, open];
      return sealed === null || personKey === undefined
        ? JSON.stringify(list)
        : sealedPrefix(personKey) + JSON.stringify([...list, sealed.fields, sealed.text]);
    },
    decode(name, text): CommandEventData {
      const { json, isSealed, key } = splitSealed(text);
      // By index: thousands of them are read at a time.
      const list = parsed(type, name, json, isSealed);
      const schemaVersion = list[1];
      const event = definitionOf(definition, name);
      const newest = event?.version ?? 1;
      if (event === undefined || schemaVersion > newest) {
        throw new UnknownCommandEventError(type, name, schemaVersion);
      }
      const stored = isSealed
        ? openPayload(personalData, sealedPayloadOf(list), key, { type, name })
        : list[4];
      const data: CommandEventData = {
        version: list[0],
        schemaVersion,
        correlationId: list[2],
        causationId: list[3],
        payload: schemaVersion === newest ? stored : upcast(type, name, event, stored, schemaVersion),
      };
      return key === null ? data : { ...data, personKey: key };
    },
  };
}

function upcast(
  type: string,
  name: string,
  { version: newest = 1, upcasts = {} }: EventDefinition,
  payload: unknown,
  from: number,
): unknown {
  let data = payload;
  try {
    for (let version = from; version < newest; version++) data = upcasts[version]?.(data);
  } catch (error) {
    throw new CommandEventDataError(type, name, `no upcast from version ${from}: ${messageOf(error)}`, error);
  }
  return data;
}

type Parsed = [number, number, string, string | null, unknown, ...sealed: [] | [readonly string[], string]];

function sealedPayloadOf([, , , , payload, fields, text]: Parsed): SealedPayload {
  return { payload, sealed: fields === undefined || text === undefined ? null : { fields, text } };
}

function parsed(type: string, name: string, text: string, isSealed: boolean): Parsed {
  let array: unknown;
  try {
    array = JSON.parse(text);
  } catch (error) {
    throw new CommandEventDataError(type, name, 'it is no JSON', error);
  }
  if (
    !Array.isArray(array) ||
    array.length !== (isSealed ? 7 : 5) ||
    !Number.isInteger(array[0]) ||
    !Number.isInteger(array[1]) ||
    array[1] < 1
  ) {
    throw new CommandEventDataError(
      type,
      name,
      'it is no list of version, schema version, correlation, causation, payload',
    );
  }
  return array as Parsed;
}

/** An event of the log as reducers see it. */
export function storedEvent(event: Event): Stored {
  const data = event.data as CommandEventData;
  return {
    name: event.name,
    data: data.payload,
    version: data.version,
    eventId: eventIdOf(event.source.txHash),
    timeUs: event.source.timeUs,
    seqNo: event.seqNo,
    aggregateId: event.aggregateId,
    actor: event.source.address,
    correlationId: data.correlationId,
    causationId: data.causationId,
  };
}

/** The latest accepted event as rules see it. */
export function markedEvent(
  codec: EventDataCodec,
  { name, data, version, eventId, timeUs }: KeptEvent,
): Marked {
  const { payload } = codec.decode(name, data) as CommandEventData;
  return { name, data: payload, version, eventId, timeUs };
}
