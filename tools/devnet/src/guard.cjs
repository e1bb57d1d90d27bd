// Holds anvil for a devnet process: `node guard.cjs <json>`, with an IPC channel to that process. However the devnet
// process ends, the channel closes; the guard then stops mining, saves the chain and stops anvil. It runs in a process
// group of its own, so that Ctrl-C reaches the devnet process only and the order of stopping stays the devnet's.
//
// Options: { binary, args, port, directory, fresh: forget a saved chain, temporary: keep nothing }. Messages to the guard:
// { ask: 'save' | 'stop', id }. Messages from it: { anvil: pid }, { ready: true }, { done: id }, { failed: text, id? }.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const { join } = require('node:path');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { createGunzip } = require('node:zlib');

const { binary, args, port, directory, fresh, temporary } = JSON.parse(process.argv[2]);
const stateFile = join(directory, 'chain.json');
const pidFile = join(directory, 'anvil.pid');
/** How long a predecessor may take to save its chain: one whose devnet is gone, one whose devnet lives and may be stopping. */
const WIND_DOWN_MS = 30_000;
const STOPPING_MS = 3_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (message) => process.connected && process.send(message, () => undefined);

async function rpc(toPort, method, params = []) {
  const response = await fetch(`http://127.0.0.1:${toPort}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = await response.json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

let saving = Promise.resolve();

/** The file is the old chain or the new one, never half of one. One after another. */
function save(fromPort) {
  saving = saving.catch(() => undefined).then(() => saveNow(fromPort));
  return saving;
}

async function saveNow(fromPort) {
  const dump = Buffer.from((await rpc(fromPort, 'anvil_dumpState')).slice(2), 'hex');
  // In pieces: unpacked, it is ten times as much, about 5 kB a transaction.
  await pipeline(Readable.from([dump]), createGunzip(), fs.createWriteStream(`${stateFile}.new`));
  fs.renameSync(`${stateFile}.new`, stateFile);
}

/** After this, nothing that anybody saw on the chain is missing from the saved one. */
async function saveAtRest(fromPort) {
  await rpc(fromPort, 'evm_setAutomine', [false]);
  await rpc(fromPort, 'evm_setIntervalMining', [0]);
  await save(fromPort);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Whether the process is one of this data directory's; another process may have got its id meanwhile. */
function isOurs(pid) {
  if (!isAlive(pid)) return false;
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes(
      directory,
    );
  } catch {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
    } catch {
      return false;
    }
  }
}

async function until(condition, ms) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) if (condition()) return true;
  return condition();
}

/** A guard that still saves is waited for; an anvil that lost its guard is saved and stopped. */
async function settlePredecessor() {
  let last;
  try {
    last = JSON.parse(fs.readFileSync(pidFile, 'utf8'));
  } catch {
    return;
  }
  const patienceMs = isAlive(last.devnet) ? STOPPING_MS : WIND_DOWN_MS;
  if (isOurs(last.guard) && !(await until(() => !isOurs(last.guard), patienceMs))) {
    throw new Error(`data directory ${directory} is in use by process ${last.devnet}`);
  }
  if (isOurs(last.anvil)) {
    await saveAtRest(last.port).catch(() => undefined);
    process.kill(last.anvil, 'SIGKILL');
    await until(() => !isOurs(last.anvil), WIND_DOWN_MS);
  }
  fs.rmSync(pidFile, { force: true });
}

async function main() {
  let closed = false;
  process.on('disconnect', () => (closed = true));
  await settlePredecessor();
  if (closed) return;
  if (fresh) fs.rmSync(stateFile, { force: true });
  const load = fs.existsSync(stateFile) ? ['--load-state', stateFile] : [];
  const anvil = spawn(binary, [...args, '--cache-path', join(directory, 'cache'), ...load], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  anvil.stderr.on('data', (data) => (complaint = (complaint + data).slice(-2_000)));
  const gone = new Promise((resolve) => {
    anvil.once('exit', (code, signal) => resolve(`anvil ended (${signal ?? code}): ${complaint.trim()}`));
    anvil.once('error', (error) => resolve(`anvil does not start: ${error.message}`));
  });
  let isGone = false;
  void gone.then(() => (isGone = true));
  if (anvil.pid !== undefined) {
    fs.writeFileSync(
      pidFile,
      JSON.stringify({ devnet: process.ppid, guard: process.pid, anvil: anvil.pid, port }),
    );
    tell({ anvil: anvil.pid });
  }

  let stopping;
  const stop = (saving) => {
    stopping ??= (async () => {
      if (saving && !temporary && !isGone) await saveAtRest(port);
      anvil.kill('SIGKILL');
      await gone;
      fs.rmSync(temporary ? directory : pidFile, { recursive: true, force: true });
    })();
    return stopping;
  };
  const end = (saving) =>
    stop(saving).then(
      () => process.exit(0),
      (error) => {
        tell({ failed: `the chain could not be saved: ${error.message}` });
        anvil.kill('SIGKILL');
        process.exit(1);
      },
    );

  for (const limit = Date.now() + 30_000; ; await sleep(10)) {
    if (isGone || Date.now() > limit) {
      anvil.kill('SIGKILL');
      throw new Error(isGone ? await gone : 'anvil does not answer within 30 s');
    }
    if (closed) return end(false);
    if (await rpc(port, 'eth_chainId').catch(() => null)) break;
  }
  process.on('disconnect', () => void end(true));
  if (!process.connected) return end(true);
  process.on('SIGTERM', () => void end(true));
  process.on('SIGINT', () => void end(true));
  process.on('message', ({ ask, id }) => {
    const work = ask === 'save' ? save(port) : stop(true);
    work.then(
      () => tell({ done: id }),
      (error) => tell({ failed: error.message, id }),
    );
    if (ask === 'stop') void work.catch(() => undefined).then(() => process.disconnect());
  });
  void gone.then((text) => {
    if (stopping) return;
    tell({ failed: text });
    fs.rmSync(pidFile, { force: true });
    process.exit(1);
  });
  tell({ ready: true });
}

main().catch((error) => {
  tell({ failed: error.message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
