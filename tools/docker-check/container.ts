import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Image } from './imageRecipe';

/** Whom Docker runs the images as; the recipe names it. */
export const CONTAINER_UID = 1000;
const LOGS = '/var/log/imart';

/** What a container of Docker would be made of, put together by hand: an image's files and nothing else, and a volume for logs. */
export interface Container {
  /** Where the volume is, from outside. */
  readonly logDir: string;
  /** Runs a command in it, as the image's user, as process 1, with the image's settings and these. */
  start(command: readonly string[], settings: Readonly<Record<string, string>>): RunningContainer;
  /** Ends what still runs in it, and removes its files. */
  remove(): void;
}

export interface RunningContainer {
  /** What was written to stdout and stderr so far. */
  said(): string;
  /** Resolves when something was said that is like this. @throws when it ends, or takes too long, before. */
  untilSaid(pattern: RegExp): Promise<RegExpMatchArray>;
  /** As `docker stop` does it: the signal goes to process 1. */
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Whether this machine lets us make containers by hand: it takes Linux and root. */
export function canRunContainers(): boolean {
  return (
    process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0
  );
}

const PATIENCE_MS = 90_000;

/**
 * Puts the files of an image in a directory, the way its recipe copies them. The system below (what the base image brings: libc, a
 * shell, Node) is this machine's, seen read-only.
 *
 * @param sources where each stage's files are; `null`: the directory that is built.
 */
export function createContainer(
  image: Image,
  sources: (stage: string | null, path: string) => string,
): Container {
  const dir = mkdtempSync(join(tmpdir(), 'imart-container-'));
  chmodSync(dir, 0o755);
  const root = join(dir, 'root');
  for (const { stage, from, to, chmod } of image.files) {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(sources(stage, from), target, { recursive: true });
    if (chmod !== null) chmodSync(target, Number.parseInt(chmod, 8));
  }
  // Of the system, what is no file of an image: mount points, and the names of the users.
  for (const place of ['dev', 'proc', 'tmp', 'etc', 'usr/local/bin', LOGS.slice(1)]) {
    mkdirSync(join(root, place), { recursive: true });
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n');
  writeFileSync(join(root, 'usr/local/bin/node'), '');
  const logDir = join(dir, 'logs');
  mkdirSync(logDir);
  chownSync(logDir, CONTAINER_UID, CONTAINER_UID);
  writeFileSync(join(dir, 'enter.sh'), enterScript(root, logDir));
  const running = new Set<ChildProcess>();

  return {
    logDir,
    start(command, settings) {
      const env = Object.entries({ ...image.env, ...settings }).map(([name, value]) => `${name}=${value}`);
      const words = [
        join(dir, 'enter.sh'),
        image.workdir,
        'PATH=/usr/local/bin:/usr/bin:/bin',
        'HOME=/tmp',
        ...env,
        ...command,
      ];
      // Each ends with the one before it, however that ends: this process, `unshare`, process 1 of the container. The program asks
      // for it itself, too: who gives up rights also forgets whom to end with.
      const child = spawn(
        'setpriv',
        [
          '--pdeathsig',
          'SIGKILL',
          'unshare',
          '--mount',
          '--pid',
          '--ipc',
          '--uts',
          '--fork',
          '--kill-child',
          'sh',
          ...words,
        ],
        { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' },
      );
      running.add(child);
      return runningContainer(child, () => running.delete(child));
    },
    remove() {
      for (const child of running) child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Builds the container's view of files, gives up every right, and becomes the program. Mounts go with the namespace. */
function enterScript(root: string, logDir: string): string {
  const system = [
    '/usr/bin',
    '/usr/lib',
    '/usr/lib64',
    '/usr/sbin',
    '/bin',
    '/lib',
    '/lib64',
    '/sbin',
  ].filter(existsSync);
  const lines: string[] = [];
  for (const place of system) {
    const inRoot = join(root, place);
    if (existsSync(inRoot)) throw new Error(`the image writes to ${place}, which is the base image's`);
    if (lstatSync(place).isSymbolicLink()) {
      mkdirSync(dirname(inRoot), { recursive: true });
      symlinkSync(readlinkSync(place), inRoot);
    } else {
      mkdirSync(inRoot, { recursive: true });
      lines.push(`mount --rbind ${place} ${inRoot}`);
    }
  }
  for (const device of ['null', 'zero', 'random', 'urandom']) {
    mkdirSync(join(root, 'dev'), { recursive: true });
    writeFileSync(join(root, 'dev', device), '');
    lines.push(`mount --bind /dev/${device} ${root}/dev/${device}`);
  }
  return [
    'set -e',
    'mount --make-rprivate /',
    `mount --bind ${root} ${root}`,
    ...lines,
    `mount --bind ${process.execPath} ${root}/usr/local/bin/node`,
    `mount --bind ${logDir} ${root}${LOGS}`,
    `mount -t tmpfs tmpfs ${root}/tmp`,
    `mount -t proc proc ${root}/proc`,
    // As compose.yml has it: nothing but the volume and /tmp can be written.
    `mount -o remount,bind,ro ${root}`,
    'workdir=$1; shift',
    `exec chroot ${root} /usr/bin/setpriv --reuid ${CONTAINER_UID} --regid ${CONTAINER_UID} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs --pdeathsig SIGKILL /usr/bin/env -i -C "$workdir" "$@"`,
    '',
  ].join('\n');
}

function runningContainer(child: ChildProcess, onEnd: () => void): RunningContainer {
  let said = '';
  let over = false;
  const heard = new Set<() => void>();
  const tell = (): void => [...heard].forEach((listener) => listener());
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      tell();
    });
  }
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true;
    clearTimeout(late);
    onEnd();
    tell();
    return { code, signal } as { code: number | null; signal: NodeJS.Signals | null };
  });
  return {
    said: () => said,
    untilSaid: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(said);
          if (found === null && !over) return;
          heard.delete(look);
          if (found !== null) resolve(found);
          else reject(new Error(`it ended without saying ${pattern.source}:\n${said}`));
        };
        heard.add(look);
        look();
      }),
    signal(name) {
      // The only child of `unshare` is process 1 of the new namespace.
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
      process.kill(Number(children.split(' ')[0]), name);
    },
    ended,
  };
}
