import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { FakeLedger } from '../../../libs/chain-aptos/src/testing/fakeLedger';
import { createRecordedLedger, RecordingError } from './recordedLedger';
import { createScriptedMarket } from './scriptedMarket';

/** A wrong command line. */
export class UsageError extends Error {}

/** `KIND[=VALUE]@FROM[-TO]`: a fault of the requests of these numbers, counted from 0. */
export interface ScriptedFault {
  readonly kind: string;
  readonly value: string | null;
  readonly from: number;
  readonly to: number;
}

export interface ServedLedger {
  readonly ledger: FakeLedger;
  readonly port: number;
  readonly faults: readonly ScriptedFault[];
  /** The last version that is there yet. */
  head(): bigint;
}

export const LEDGER_OPTIONS = `  --port N              0 (default) takes a free one
  --chain-id N          default 1 for recordings, 4 for a scripted market
  --first-version N     version of the first recording (default: its own); the others follow without a gap
  --script N            instead of recordings: IMart's market, N transactions of users
  --seed N              of the script (default 1)
  --head N              the last version that is there yet (default: the last one)
  --grow MS             from --head on, one more version every MS
  --state FILE          remembers there how far it has grown, and goes on from there
  --fault KIND@FROM-TO  what goes wrong with which requests, from 0 (repeatable)`;

export function parseFault(text: string, kinds: readonly string[]): ScriptedFault {
  const [, kind = '', value = null, from, to] =
    /^([a-z-]+)(?:=([^@]+))?@(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (!kinds.includes(kind)) {
    throw new UsageError(
      `--fault ${text}: KIND[=VALUE]@FROM[-TO] is needed, KIND one of ${kinds.join(', ')}`,
    );
  }
  return { kind, value, from: Number(from), to: Number(to ?? from) };
}

/** @returns `help` when that was asked for. @throws {UsageError} @throws {RecordingError} */
export function parseCommandLine(
  args: readonly string[],
  faultKinds: readonly string[],
): ServedLedger | 'help' {
  const text = { type: 'string' } as const;
  const { values, positionals } = ((): ReturnType<typeof parse> => {
    try {
      return parse();
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  })();
  function parse() {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: text,
        'chain-id': text,
        'first-version': text,
        script: text,
        seed: text,
        head: text,
        grow: text,
        state: text,
        fault: { type: 'string', multiple: true },
        help: { type: 'boolean' },
      },
    });
  }
  if (values.help === true) return 'help';
  const number = (flag: Exclude<keyof typeof values, 'fault' | 'help' | 'state'>): bigint | undefined => {
    const value = values[flag];
    if (value === undefined) return undefined;
    if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${flag} ${value}: a whole number is needed`);
    return BigInt(value);
  };
  const script = number('script');
  const head = number('head');
  const growMs = number('grow');
  const port = Number(number('port') ?? 0n);
  const faults = (values.fault ?? []).map((fault) => parseFault(fault, faultKinds));
  if (script === undefined && positionals.length === 0)
    throw new UsageError('name at least one file or folder of recordings, or --script N');
  const chainId = Number(number('chain-id') ?? (script === undefined ? 1n : 4n));
  const firstVersion = number('first-version');
  const ledger =
    script === undefined
      ? createRecordedLedger({
          files: positionals,
          chainId,
          ...(firstVersion === undefined ? {} : { firstVersion }),
        })
      : createScriptedMarket({ chainId, transactions: Number(script), seed: Number(number('seed') ?? 1n) })
          .ledger;
  const startedAt = performance.now();
  const remembered = values.state === undefined ? null : rememberedHead(values.state);
  const begin = remembered?.read() ?? head;
  return {
    ledger,
    port,
    faults,
    head() {
      if (begin === undefined || begin > ledger.head) return ledger.head;
      if (growMs === undefined) return begin;
      const grown = begin + BigInt(Math.floor((performance.now() - startedAt) / Math.max(1, Number(growMs))));
      const now = grown < ledger.head ? grown : ledger.head;
      remembered?.write(now);
      return now;
    },
  };
}

/** A head in a file. One that cannot be read is none. */
function rememberedHead(file: string): { read(): bigint | undefined; write(head: bigint): void } {
  let written: bigint | undefined;
  return {
    read() {
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return /^\d{1,15}$/.test(text) ? BigInt(text) : undefined;
    },
    write(head) {
      if (head === written) return;
      written = head;
      // Renamed: whoever kills us in between leaves the one before.
      writeFileSync(`${file}.new`, String(head));
      renameSync(`${file}.new`, file);
    },
  };
}

/** Runs a server until SIGTERM or SIGINT, telling where it is in one line; exit code 2 for a wrong command line, 1 for other failures. */
export function runServer(
  usage: string,
  faultKinds: readonly string[],
  start: (served: ServedLedger) => Promise<{ readonly url: string; close(): Promise<void> }>,
): void {
  const run = async (): Promise<void> => {
    const served = parseCommandLine(process.argv.slice(2), faultKinds);
    if (served === 'help') {
      console.log(usage);
      return;
    }
    const server = await start(served);
    const end = (): void => void server.close().then(() => process.exit(0));
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
    const { chainId, first, head } = served.ledger;
    console.log(
      JSON.stringify({ url: server.url, chainId, firstVersion: Number(first), lastVersion: Number(head) }),
    );
  };
  run().catch((error: unknown) => {
    const { message, stack } = error as Error;
    console.error(error instanceof UsageError ? `${message}\n\n${usage}` : message);
    if (!(error instanceof UsageError || error instanceof RecordingError)) console.error(stack);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
}
