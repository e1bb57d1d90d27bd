import { LEDGER_OPTIONS, runServer } from './commandLine';
import { FULLNODE_FAULTS, startReplayFullnode } from './startReplayFullnode';

const kinds = Object.keys(FULLNODE_FAULTS);
const USAGE = `Serves an Aptos ledger as a fullnode's REST API on 127.0.0.1: recorded transactions, or a scripted market.

  replay-fullnode [options] <file or folder>...

${LEDGER_OPTIONS}
                        KIND: ${kinds.join(', ')}
  --help

Ready, it prints one line: {"url":...,"chainId":...,"firstVersion":...,"lastVersion":...}. SIGTERM and SIGINT end it with 0.`;

runServer(USAGE, kinds, startReplayFullnode);
