import { ConfigError, messageOf, WorkerError } from '@imart/core';
import { forgetCommand } from './commands/forget';
import { historyCommand } from './commands/history';
import { keysCommand } from './commands/keys';
import { parkedCommand } from './commands/parked';
import { purchaseCommand } from './commands/purchase';
import { replayCommand } from './commands/replay';
import { resumeCommand } from './commands/resume';
import { rewindCommand } from './commands/rewind';
import { saleCommand } from './commands/sale';
import { verifyCommand } from './commands/verify';
import type { Command } from './command';
import { withoutSecrets } from './config';
import { isFoldThread, runFoldThread } from './foldThreads';
import { InterruptedError } from './interruption';
import { UsageError } from './usageError';

const commands: Readonly<Record<string, Command>> = {
  parked: parkedCommand,
  rewind: rewindCommand,
  resume: resumeCommand,
  history: historyCommand,
  replay: replayCommand,
  verify: verifyCommand,
  keys: keysCommand,
  forget: forgetCommand,
  sale: saleCommand,
  purchase: purchaseCommand,
};

const usage = `imart: operates the database of the event worker

usage: imart COMMAND [options]

${Object.entries(commands)
  .map(([name, command]) => `  ${name.padEnd(10)} ${command.summary}`)
  .join('\n')}

imart COMMAND --help tells more.
`;

async function main(): Promise<number> {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(usage);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`imart: there is no command '${name}'\n\n${usage}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
    // What is wrong with settings is said by the settings' own names: the options are of no help there.
    const further = error instanceof UsageError ? `\n${command.help}` : '';
    process.stderr.write(`imart ${name}: ${error.message}\n${further}`);
    return 2;
  }
}

async function run(): Promise<number> {
  if (!isFoldThread()) return main();
  await runFoldThread();
  return 0;
}

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // Its work may go on in vain, and keeps the process.
    if (error instanceof InterruptedError) process.exit(error.exitCode);
    const code = error instanceof WorkerError ? ` [${error.code}]` : '';
    process.stderr.write(`imart: ${withoutSecrets(messageOf(error))}${code}\n`);
    process.exitCode = 1;
  },
);
