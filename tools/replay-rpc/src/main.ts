import { parseArgs } from 'node:util';
import { RecordingError } from './recording';
import { startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from './replayRpc';

const USAGE = `Serves recorded blocks as a JSON-RPC node (HTTP and WebSocket on 127.0.0.1).

  replay-rpc [options] <file or folder>...

  --port N             0 (default) takes a free one
  --head N             the last block that is there yet (default: the last recorded one)
  --block-time MS      from --head on, one more recorded block every MS
  --finality-depth N   finalized and safe lie N blocks below the head (default 0)
  --chain-id N         default: what the recordings say, else 1
  --genesis-hash H     hash of block 0 (default: Ethereum mainnet's)
  --max-range N        refuse eth_getLogs over more blocks, suggesting a range
  --max-results N      refuse eth_getLogs with more logs, suggesting a range
  --latency MS         delay of every answer
  --case-address I=A   emitting contract of the I-th single log, from 0 (repeatable)
  --case-first N       block number of the first single log (default 1)
  --no-verify          serve recordings that are incomplete or corrupt
  --help

Ready, it prints one line: {"url":...,"wsUrl":...,"chainId":...,"pieces":[[first,last],...]}. SIGTERM and SIGINT end it with 0.`;

/** A wrong command line. */
class UsageError extends Error {}

interface Command {
  readonly options: ReplayRpcOptions;
  readonly blockTimeMs: number | undefined;
}

function parseCommand(args: readonly string[]): Command | 'help' {
  const text = { type: 'string' } as const;
  const parsed = ((): ReturnType<typeof parse> => {
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
        head: text,
        'block-time': text,
        'finality-depth': text,
        'chain-id': text,
        'genesis-hash': text,
        'max-range': text,
        'max-results': text,
        latency: text,
        'case-address': { type: 'string', multiple: true },
        'case-first': text,
        'no-verify': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  }
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  if (positionals.length === 0) throw new UsageError('name at least one file or folder of recordings');
  const number = <K extends string>(
    key: K,
    flag: string,
    value: string | undefined,
  ): Partial<Record<K, number>> => {
    if (value === undefined) return {};
    if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${flag} ${value}: a whole number is needed`);
    return { [key]: Number(value) } as Record<K, number>;
  };
  const genesisHash = values['genesis-hash'];
  if (genesisHash !== undefined && !/^0x[0-9a-f]{64}$/.test(genesisHash)) {
    throw new UsageError(`--genesis-hash ${genesisHash}: 0x and 64 lower-case hex digits are needed`);
  }
  return {
    options: {
      files: positionals,
      verify: values['no-verify'] !== true,
      caseAddresses: caseAddresses(values['case-address'] ?? []),
      ...(genesisHash === undefined ? {} : { genesisHash }),
      ...number('port', 'port', values.port),
      ...number('head', 'head', values.head),
      ...number('finalityDepth', 'finality-depth', values['finality-depth']),
      ...number('chainId', 'chain-id', values['chain-id']),
      ...number('maxRange', 'max-range', values['max-range']),
      ...number('maxResults', 'max-results', values['max-results']),
      ...number('latencyMs', 'latency', values.latency),
      ...number('caseFirstNumber', 'case-first', values['case-first']),
    },
    blockTimeMs: number('ms', 'block-time', values['block-time']).ms,
  };
}

function caseAddresses(given: readonly string[]): Record<number, string> {
  return Object.fromEntries(
    given.map((item) => {
      const [, index, address] = /^(\d+)=(0x[0-9a-f]{40})$/i.exec(item) ?? [];
      if (index === undefined || address === undefined) {
        throw new UsageError(`--case-address ${item}: POSITION=0xADDRESS is needed`);
      }
      return [Number(index), address];
    }),
  );
}

/** Moves the head to the next recorded block every `blockTimeMs`, until the last. */
function advance(server: ReplayRpc, blockTimeMs: number): void {
  const timer = setInterval(() => {
    const next = server.pieces.flatMap(({ from, to }) =>
      to > server.head() ? [Math.max(from, server.head() + 1)] : [],
    );
    if (next[0] === undefined) clearInterval(timer);
    else server.setHead(next[0]);
  }, blockTimeMs);
}

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    console.log(USAGE);
    return;
  }
  const server = await startReplayRpc(command.options);
  const end = (): void => void server.stop().then(() => process.exit(0));
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  for (const file of server.skipped) console.error(`left out, not a recording: ${file}`);
  const { url, wsUrl, chainId } = server;
  const pieces = server.pieces.map(({ from, to }) => [from, to]);
  console.log(JSON.stringify({ url, wsUrl, chainId, pieces }));
  if (command.blockTimeMs !== undefined) advance(server, command.blockTimeMs);
}

main().catch((error: unknown) => {
  const { message } = error as Error;
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
  if (!(error instanceof UsageError || error instanceof RecordingError))
    console.error((error as Error).stack);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
