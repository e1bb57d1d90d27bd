import { LEDGER_OPTIONS, runServer } from '../../replay-fullnode/src/commandLine';
import { STREAM_FAULTS, startReplayStream } from './startReplayStream';

const kinds = Object.keys(STREAM_FAULTS);
const USAGE = `Serves an Aptos ledger as a gRPC Transaction Stream (aptos.indexer.v1.RawData) on 127.0.0.1, without encryption: recorded
transactions, or a scripted market.

  replay-stream [options] <file or folder>...

${LEDGER_OPTIONS}
                        KIND: ${kinds.join(', ')}
  --help

Ready, it prints one line: {"url":...,"chainId":...,"firstVersion":...,"lastVersion":...}. SIGTERM and SIGINT end it with 0.`;

runServer(USAGE, kinds, startReplayStream);
