import { canonicalAddress } from '../address';
import { AptosDecodeError } from '../errors';

const MEANINGS = ['list', 'change-price', 'delist', 'buy', 'bid', 'offer', 'cancel-offer', 'accept-offer'];
const UNITS = ['s', 'ms', 'us', 'by-size'];
const TOKEN_FIELDS = ['object', 'collection', 'v1', 'receivedBy'];
const EVENT_FIELDS = [
  'means',
  'key',
  'token',
  'collection',
  'seller',
  'buyer',
  'price',
  'pricePer',
  'quantity',
  'currency',
  'fees',
  'royalties',
  'feeAccount',
  'remaining',
  'startsAt',
  'expiresAt',
  'nonce',
  'closes',
  'alongside',
  'auction',
];

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
  return text === undefined ? 'missing' : text.slice(0, 80);
}

function isAddress(value: unknown): boolean {
  if (!isText(value)) return false;
  try {
    canonicalAddress(value);
    return true;
  } catch (error) {
    if (error instanceof AptosDecodeError) return false;
    throw error;
  }
}

function* unknownFields(value: Json, known: readonly string[], at: string): Generator<string> {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) yield `${at}.${name} is not known; there are ${known.join(', ')}`;
  }
}

function* pathProblem(value: unknown, at: string, isOptional = true): Generator<string> {
  if ((value === undefined && isOptional) || isText(value)) return;
  yield `${at} is ${shown(value)}; it must be the path of a field`;
}

/** A field's path, or a place in a resource. */
function* valueProblems(value: unknown, at: string, isOptional = true): Generator<string> {
  if (!isObject(value)) {
    yield* pathProblem(value, at, isOptional);
    return;
  }
  yield* unknownFields(value, ['resource', 'at', 'path', 'whenDeleted'], at);
  if (!isText(value['resource']) || !value['resource'].includes('::')) {
    yield `${at}.resource is ${shown(value['resource'])}; it must be module::Struct`;
  }
  yield* pathProblem(value['at'], `${at}.at`, false);
  yield* pathProblem(value['path'], `${at}.path`, false);
  yield* pathProblem(value['whenDeleted'], `${at}.whenDeleted`);
}

function* timeProblems(value: unknown, at: string): Generator<string> {
  if (value === undefined) return;
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must have a value and a unit`;
    return;
  }
  yield* unknownFields(value, ['value', 'unit', 'after'], at);
  yield* valueProblems(value['value'], `${at}.value`, false);
  if (!UNITS.includes(value['unit'] as string)) {
    yield `${at}.unit is ${shown(value['unit'])}; it must be one of ${UNITS.join(', ')}`;
  }
  if (value['after'] !== undefined) yield* timeProblems(value['after'], `${at}.after`);
}

function* namesProblems(value: unknown, fields: readonly string[], at: string): Generator<string> {
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must have ${fields.join(', ')}`;
    return;
  }
  yield* unknownFields(value, [...fields, 'version'], at);
  for (const field of fields) yield* pathProblem(value[field], `${at}.${field}`, false);
  yield* pathProblem(value['version'], `${at}.version`);
}

function* tokenProblems(value: unknown, at: string): Generator<string> {
  if (value === undefined) return;
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must have object, v1 or receivedBy`;
    return;
  }
  yield* unknownFields(value, TOKEN_FIELDS, at);
  for (const field of ['object', 'collection', 'receivedBy']) {
    yield* pathProblem(value[field], `${at}.${field}`);
  }
  if (value['v1'] !== undefined && !isText(value['v1'])) {
    yield* namesProblems(value['v1'], ['creator', 'collection', 'name'], `${at}.v1`);
  }
}

function* collectionProblems(value: unknown, at: string): Generator<string> {
  if (value === undefined) return;
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must have object or v1`;
    return;
  }
  yield* unknownFields(value, ['object', 'v1'], at);
  yield* pathProblem(value['object'], `${at}.object`);
  if (value['v1'] !== undefined) yield* namesProblems(value['v1'], ['creator', 'collection'], `${at}.v1`);
}

function* auctionProblems(value: unknown, at: string): Generator<string> {
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must have field and is`;
    return;
  }
  yield* unknownFields(value, ['field', 'is'], at);
  yield* pathProblem(value['field'], `${at}.field`, false);
  if (!isText(value['is'])) yield `${at}.is is ${shown(value['is'])}; it must be the text of an auction`;
}

function* eventProblems(value: unknown, at: string): Generator<string> {
  if (!isObject(value)) {
    yield `${at} is ${shown(value)}; it must say what the event means`;
    return;
  }
  yield* unknownFields(value, EVENT_FIELDS, at);
  const { means, key, fees } = value;
  if (!MEANINGS.includes(means as string)) {
    yield `${at}.means is ${shown(means)}; it must be one of ${MEANINGS.join(', ')}`;
  }
  if (!Array.isArray(key) || key.length === 0 || !key.every(isText)) {
    yield `${at}.key is ${shown(key)}; it must list the fields that name the order`;
  }
  yield* tokenProblems(value['token'], `${at}.token`);
  yield* collectionProblems(value['collection'], `${at}.collection`);
  for (const field of ['seller', 'buyer', 'currency', 'royalties', 'nonce']) {
    yield* pathProblem(value[field], `${at}.${field}`);
  }
  for (const field of ['price', 'quantity', 'remaining'])
    yield* valueProblems(value[field], `${at}.${field}`);
  for (const field of ['startsAt', 'expiresAt']) yield* timeProblems(value[field], `${at}.${field}`);
  if (![undefined, 'order', 'token'].includes(value['pricePer'] as string | undefined)) {
    yield `${at}.pricePer is ${shown(value['pricePer'])}; it must be order or token`;
  }
  if (fees !== undefined && fees !== '$deposits' && !(Array.isArray(fees) && fees.every(isText))) {
    yield `${at}.fees is ${shown(fees)}; it must list fields, or be $deposits`;
  }
  if (value['feeAccount'] !== undefined && !isAddress(value['feeAccount'])) {
    yield `${at}.feeAccount is ${shown(value['feeAccount'])}; it must be an address`;
  }
  if (![undefined, true].includes(value['closes'] as true | undefined) && !isText(value['closes'])) {
    yield `${at}.closes is ${shown(value['closes'])}; it must be true, or the path of a field`;
  }
  if (![undefined, true].includes(value['alongside'] as true | undefined)) {
    yield `${at}.alongside is ${shown(value['alongside'])}; it must be true, or absent`;
  }
  if (value['auction'] !== undefined) yield* auctionProblems(value['auction'], `${at}.auction`);
  yield* missingParts(value, at);
}

/** What an event of its meaning cannot do without. */
function* missingParts(value: Json, at: string): Generator<string> {
  const needs = (field: string): string | null =>
    value[field] === undefined ? `${at}.${field} is missing; ${String(value['means'])} needs it` : null;
  const missing: (string | null)[] = [];
  if (value['means'] === 'list') missing.push(needs('seller'), needs('token'));
  if (value['means'] === 'offer') missing.push(needs('buyer'));
  if (value['means'] === 'bid') missing.push(needs('buyer'), needs('token'), needs('price'));
  if (value['means'] === 'offer' && value['collection'] === undefined) missing.push(needs('token'));
  const parts: Readonly<Record<string, string>> = {
    $token: 'token',
    $seller: 'seller',
    $buyer: 'buyer',
  };
  for (const name of Array.isArray(value['key']) ? (value['key'] as unknown[]) : []) {
    const part = Object.hasOwn(parts, String(name)) ? parts[String(name)] : undefined;
    if (part !== undefined && value[part] === undefined) {
      missing.push(`${at}.${part} is missing; the key has ${String(name)}`);
    }
  }
  for (const problem of new Set(missing)) if (problem !== null) yield problem;
}

/** What keeps this from being a declaration of a marketplace, each with its place. Nothing: it is one. */
export function* declarationProblems(value: Json, at: string): Generator<string> {
  yield* unknownFields(value, ['name', 'packages', 'events', 'handles'], at);
  const { name, packages, events, handles } = value;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    yield `${at}.name is ${shown(name)}; it must be lower-case letters, digits, "-" and "."`;
  }
  if (packages !== undefined && !isObject(packages)) {
    yield `${at}.packages is ${shown(packages)}; it must be addresses by chain id`;
  }
  for (const [chainId, address] of Object.entries(isObject(packages) ? packages : {})) {
    if (!/^\d+$/.test(chainId) || !isAddress(address)) {
      yield `${at}.packages.${chainId} is ${shown(address)}; it must be an address by a chain id`;
    }
  }
  if (!isObject(events) || Object.keys(events).length === 0) {
    yield `${at}.events is ${shown(events)}; it must say what each event means`;
    return;
  }
  for (const [type, event] of Object.entries(events)) {
    if (!/^\w+::\w+$/.test(type)) yield `${at}.events["${type}"]: its name must be module::Struct`;
    yield* eventProblems(event, `${at}.events["${type}"]`);
  }
  if (handles !== undefined && !isObject(handles)) {
    yield `${at}.handles is ${shown(handles)}; it must be events by module::Struct/field`;
  }
  for (const [place, type] of Object.entries(isObject(handles) ? handles : {})) {
    const where = `${at}.handles["${place}"]`;
    if (!/^\w+::\w+\/\w+$/.test(place)) yield `${where}: its name must be module::Struct/field`;
    if (!isText(type) || !Object.hasOwn(events, type))
      yield `${where} is ${shown(type)}; it must be one of the events`;
  }
}
