/**
 * Turns the parameters of an event into the source of one function that reads them. Fixed places become constants, each
 * result object one literal, so the engine sees monomorphic code with nothing left to look up: what `eventDecoder.bench.ts`
 * measures. Only names and types of the ABI enter the source, names as JSON literals.
 */
import type { ParamType } from 'ethers';
import { malformed } from './errors';
import { createTailContext, followOffset, readArray, readBytes, readElements, readString } from './tail';
import type { SanitisedText } from './tail';
import {
  hexText,
  readAddress,
  readBool,
  readFixedBytes,
  readInt,
  readSmallUint,
  readUint,
  readUint256,
} from './word';

/** What generated code may call. */
const READERS = {
  createTailContext,
  followOffset,
  hexText,
  malformed,
  readAddress,
  readArray,
  readBool,
  readBytes,
  readElements,
  readFixedBytes,
  readInt,
  readSmallUint,
  readString,
  readUint,
  readUint256,
} as const;

/** The generated function. Throws {@link MalformedEncoding}; topics[0] and the number of topics are checked already. */
export type Read = (
  topics: readonly string[],
  data: string,
  sanitised: SanitisedText[] | undefined,
) => Record<string, unknown>;

const WORD_DIGITS = 64;

function literal(text: string): string {
  return JSON.stringify(text);
}

/** Whether the value's head holds an offset to its tail. */
function isDynamic(type: ParamType): boolean {
  if (type.isArray()) return type.arrayLength === -1 || isDynamic(type.arrayChildren);
  if (type.isTuple()) return type.components.some(isDynamic);
  return type.type === 'bytes' || type.type === 'string';
}

/** Hex digits of the value itself when nothing of it is elsewhere. */
function inlineDigits(type: ParamType): number {
  if (type.isArray()) return type.arrayLength * headDigits(type.arrayChildren);
  if (type.isTuple()) return sum(type.components.map(headDigits));
  return WORD_DIGITS;
}

/** Hex digits of the value in the head of what holds it. */
function headDigits(type: ParamType): number {
  return isDynamic(type) ? WORD_DIGITS : inlineDigits(type);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** A place in the text: a constant at the top level, relative to a variable below. */
interface At {
  readonly variable: string;
  readonly plus: number;
}

function place(at: At): string {
  if (at.variable === '') return String(at.plus);
  return at.plus === 0 ? at.variable : `${at.variable} + ${at.plus}`;
}

function wordSource(type: ParamType, text: string, at: string, path: string): string {
  const name = literal(path);
  if (type.type === 'address') return `readAddress(${text}, ${at}, ${name})`;
  if (type.type === 'bool') return `readBool(${text}, ${at}, ${name})`;
  const [, kind, width] = /^(uint|int|bytes)(\d+)$/.exec(type.type) ?? [];
  const bits = Number(width);
  if (kind === 'bytes') return `readFixedBytes(${text}, ${at}, ${bits}, ${name})`;
  if (kind === 'int') return `readInt(${text}, ${at}, ${bits}, ${name})`;
  if (kind === 'uint' && bits === 256) return `readUint256(${text}, ${at}, ${name})`;
  if (kind === 'uint')
    return `${bits <= 64 ? 'readSmallUint' : 'readUint'}(${text}, ${at}, ${bits}, ${name})`;
  throw new Error(`type ${type.type} of ${path} is not supported`);
}

/** Declarations of the functions that read array elements, made once per decoder and not once per log. */
type Elements = string[];

/** The value at `at`, whose offsets, if any, count from `base`. In scope: `data`, and `context` where tails may be. */
function valueSource(type: ParamType, at: At, base: At, path: string, elements: Elements): string {
  if (!isDynamic(type)) return inlineSource(type, at, path, elements);
  const name = literal(path);
  if (type.isArray() && type.arrayLength === -1) {
    const target = `followOffset(context, ${place(at)}, ${place(base)}, ${WORD_DIGITS}, ${name})`;
    const stride = headDigits(type.arrayChildren);
    return `readArray(context, ${target}, ${stride}, ${elementSource(type.arrayChildren, path, elements)}, ${name})`;
  }
  if (type.isArray() || type.isTuple()) {
    const target = `followOffset(context, ${place(at)}, ${place(base)}, ${inlineDigits(type)}, ${name})`;
    return `((at) => ${inlineSource(type, { variable: 'at', plus: 0 }, path, elements)})(${target})`;
  }
  const target = `followOffset(context, ${place(at)}, ${place(base)}, ${WORD_DIGITS}, ${name})`;
  return `${type.type === 'string' ? 'readString' : 'readBytes'}(context, ${target}, ${name})`;
}

/** The value whose own content begins at `at`: no offset to follow, or already followed. */
function inlineSource(type: ParamType, at: At, path: string, elements: Elements): string {
  if (type.isArray()) {
    const stride = headDigits(type.arrayChildren);
    const read = elementSource(type.arrayChildren, path, elements);
    return `readElements(context, ${place(at)}, ${type.arrayLength}, ${stride}, ${read})`;
  }
  if (!type.isTuple()) return wordSource(type, 'data', place(at), path);
  let plus = at.plus;
  const fields = type.components.map((component, i) => {
    const key = keyOf(component, i);
    const source = valueSource(component, { variable: at.variable, plus }, at, `${path}.${key}`, elements);
    plus += headDigits(component);
    return `[${literal(key)}]: ${source}`;
  });
  return `({ ${fields.join(', ')} })`;
}

function elementSource(type: ParamType, path: string, elements: Elements): string {
  const value = valueSource(
    type,
    { variable: 'at', plus: 0 },
    { variable: 'base', plus: 0 },
    `${path}[]`,
    elements,
  );
  const name = `element${elements.length}`;
  elements.push(`const ${name} = (context, at, base) => { const data = context.data; return ${value}; };`);
  return name;
}

function topicSource(type: ParamType, index: number, path: string): string {
  const text = `topic${index}`;
  // What does not fit a word is indexed by its hash.
  if (type.isArray() || type.isTuple() || isDynamic(type)) return `hexText(${text}, 2, 64, ${literal(path)})`;
  return wordSource(type, text, '2', path);
}

/** The key of a parameter in the result: its name, or its position when the ABI gives none. */
export function keyOf(param: ParamType, index: number): string {
  return param.name === '' ? String(index) : param.name;
}

/** @throws Error for a type that has no value of at least one word (`uint256[0]`, an empty tuple) or is not known. */
export function generateRead(params: readonly ParamType[]): Read {
  params.forEach((param, i) => checkType(param, keyOf(param, i)));
  checkKeys(params, '');
  const topics: string[] = [];
  const fields: string[] = [];
  const elements: Elements = [];
  let head = 2;
  const needsContext = params.some((p) => p.indexed !== true && containsArrayOrTail(p));
  params.forEach((param, i) => {
    const key = keyOf(param, i);
    if (param.indexed === true) {
      const index = topics.length + 1;
      topics.push(
        `const topic${index} = topics[${index}];\n` +
          `if (typeof topic${index} !== 'string' || topic${index}.length !== 66 || !topic${index}.startsWith('0x'))` +
          ` malformed('a topic is not 32 bytes of 0x hex', ${literal(key)});`,
      );
      fields.push(`[${literal(key)}]: ${topicSource(param, index, key)}`);
      return;
    }
    const source = valueSource(param, { variable: '', plus: head }, { variable: '', plus: 2 }, key, elements);
    fields.push(`[${literal(key)}]: ${source}`);
    head += headDigits(param);
  });
  const body = [
    `'use strict';`,
    `const { ${Object.keys(READERS).join(', ')} } = readers;`,
    ...elements,
    `return (topics, data, sanitised) => {`,
    ...topics,
    `if (typeof data !== 'string' || data.length % 2 !== 0 || !data.startsWith('0x')) malformed('data is not 0x hex of whole bytes');`,
    `if (data.length < ${head}) malformed('data is ' + (data.length - 2) / 2 + ' bytes long, at least ${(head - 2) / 2} are needed');`,
    needsContext ? `const context = createTailContext(data, sanitised);` : '',
    `return { ${fields.join(', ')} };`,
    `};`,
  ].join('\n');
  // Source made of ABI types and JSON-quoted names only; see the head of this file for what it buys.
  return (new Function('readers', body) as (readers: typeof READERS) => Read)(READERS);
}

function containsArrayOrTail(type: ParamType): boolean {
  return type.isArray() || isDynamic(type) || (type.isTuple() && type.components.some(containsArrayOrTail));
}

function checkType(type: ParamType, path: string): void {
  if (type.isArray()) {
    if (type.arrayLength === 0) throw new Error(`${path} is an array of length 0`);
    checkType(type.arrayChildren, `${path}[]`);
  } else if (type.isTuple()) {
    if (type.components.length === 0) throw new Error(`${path} is an empty tuple`);
    checkKeys(type.components, `${path}.`);
    type.components.forEach((component, i) => checkType(component, `${path}.${keyOf(component, i)}`));
  } else if (type.type !== 'bytes' && type.type !== 'string') {
    wordSource(type, '', '', path);
  }
}

function checkKeys(params: readonly ParamType[], prefix: string): void {
  const keys = params.map(keyOf);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new Error(`two parameters are named ${prefix}${twice}`);
}
