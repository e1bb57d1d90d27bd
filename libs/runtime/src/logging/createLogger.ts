import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { ConfigError, messageOf } from '@imart/core';
import winston from 'winston';
import { createRedactor } from './createRedactor';
import { prettyLine } from './prettyLine';
import type { LogFields, Logger } from './logger';
import { toPlain } from './toPlain';

/** The least important level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const logLevels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object per line. `pretty`: for people. @defaultValue `pretty` when the output is a terminal */
  readonly format?: 'json' | 'pretty';
  /** Texts that must never be printed; see `LoadedConfig.secrets`. */
  readonly secrets?: readonly string[];
  /** Where `error.log` is kept, as JSON lines; made when missing. Without it there is none. */
  readonly errorLogDir?: string;
  /** The name of the setting that gave `errorLogDir`, for the error. */
  readonly errorLogSetting?: string;
  /** Fields of every line. */
  readonly fields?: LogFields;
  /** @defaultValue `process.stdout` */
  readonly output?: Writable & { readonly isTTY?: boolean };
  /** @defaultValue the machine's clock */
  readonly now?: () => Date;
}

/** The logger of a process. */
export interface ProcessLogger extends Logger {
  /** Resolves when every line so far is written out. Lines after that are dropped. */
  close(): Promise<void>;
}

/** `error.log` is set aside as `error1.log`, `error2.log`, ... when it has grown this much, at most this often. */
const errorLogBytesMax = 10 * 1024 * 1024;
const errorLogFilesMax = 5;

/**
 * A logger over winston: lines on the output, and errors in `error.log` too. No line contains one of the secrets, whatever is
 * logged, errors and their causes included.
 *
 * @throws {ConfigError} when the directory for `error.log` cannot be written.
 */
export function createLogger(options: LoggerOptions): ProcessLogger {
  const output = options.output ?? process.stdout;
  const pretty = (options.format ?? (output.isTTY === true ? 'pretty' : 'json')) === 'pretty';
  const colours = output.isTTY === true;
  const json = winston.format.printf((info) => JSON.stringify(info['line']));
  const forPeople = winston.format.printf((info) =>
    prettyLine(info['line'] as Record<string, unknown>, colours),
  );
  // Whoever reads our output may stop reading (`| head`): that must not end the process.
  output.on('error', () => undefined);
  const transports: winston.transport[] = [
    new winston.transports.Stream({ stream: output, format: pretty ? forPeople : json, eol: '\n' }),
  ];
  if (options.errorLogDir !== undefined) transports.push(errorLog(options.errorLogDir, options, json));
  const sink = winston.createLogger({
    level: options.level,
    levels: winston.config.npm.levels,
    transports,
    exitOnError: false,
  });
  // A full disk must not end the process either; the output still has the line.
  sink.on('error', () => undefined);

  const redact = createRedactor(options.secrets ?? []);
  const now = options.now ?? (() => new Date());
  const write = (level: LogLevel, message: string, bound: LogFields, fields: LogFields | undefined): void => {
    if (!sink.isLevelEnabled(level) || closing !== undefined) return;
    const plain = toPlain({ ...bound, ...fields }, redact) as Record<string, unknown>;
    const line: Record<string, unknown> = {
      time: now().toISOString(),
      level,
      message: redact(String(message)),
    };
    for (const [name, value] of Object.entries(plain)) line[name in line ? `${name}_` : name] = value;
    sink.log({ level, message: '', line });
  };

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const written = transports.map(
      (transport) => new Promise((resolve) => transport.once('finish', resolve)),
    );
    sink.end();
    await Promise.all(written);
    // The stream transport finishes when it has handed its lines on; a pipe takes them later.
    await new Promise<void>((resolve) => {
      if (output.destroyed || output.writableLength === 0) resolve();
      else output.write('', () => resolve());
    });
  };
  const bind = (bound: LogFields): Logger => ({
    debug: (message, fields) => write('debug', message, bound, fields),
    info: (message, fields) => write('info', message, bound, fields),
    warn: (message, fields) => write('warn', message, bound, fields),
    error: (message, fields) => write('error', message, bound, fields),
    child: (fields) => bind({ ...bound, ...fields }),
  });
  return { ...bind(options.fields ?? {}), close: () => (closing ??= close()) };
}

function errorLog(dir: string, options: LoggerOptions, format: winston.Logform.Format): winston.transport {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (error) {
    throw new ConfigError([
      {
        setting: options.errorLogSetting ?? 'error log directory',
        problem: `the directory '${dir}' cannot be written: ${messageOf(error)}`,
      },
    ]);
  }
  return new winston.transports.File({
    filename: join(dir, 'error.log'),
    level: 'error',
    format,
    maxsize: errorLogBytesMax,
    maxFiles: errorLogFilesMax,
  });
}
