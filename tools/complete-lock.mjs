// Adds to package-lock.json the optional packages of other platforms that npm left out: it does so when the registry in
// use does not carry them, or with an older npm, and `npm ci` then refuses the lock file ("Missing: ... from lock file").
// An entry needs no checksum, because npm installs it nowhere but on its own platform. Run it after every change of the
// lock file; run twice, it changes nothing the second time.
//   node tools/complete-lock.mjs [--check]      --check: changes nothing, exit code 1 when entries are missing
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What npm calls a system or a processor, by the words that stand for it in package names. */
const SYSTEMS = ['darwin', 'win32', 'freebsd', 'android', 'openharmony', 'aix', 'linux'].map((os) => [
  os,
  os,
]);
const PROCESSORS = [
  ['arm64', 'arm64'],
  ['aarch64', 'arm64'],
  ['x64', 'x64'],
  ['amd64', 'x64'],
  ['ia32', 'ia32'],
  ['ppc64', 'ppc64'],
  ['s390x', 's390x'],
  ['riscv64', 'riscv64'],
  ['loong64', 'loong64'],
  // After arm64, which contains it.
  ['arm', 'arm'],
];

function meaning(table, name) {
  return table.find(([word]) => name.includes(word))?.[1];
}

/** Where node would look for `name`, required by the package at `path` of the lock file: nearest first. */
function* lookups(path, name) {
  for (let at = path; ;) {
    yield `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (at === '') return;
    const parent = at.lastIndexOf('/node_modules/');
    at = parent < 0 ? '' : at.slice(0, parent);
  }
}

/** The entries that are missing, by path. Packages that belong to no platform are none of ours. */
export function missingEntries(packages) {
  const missing = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if ([...lookups(path, name)].some((found) => found in packages)) continue;
      const os = meaning(SYSTEMS, name);
      if (os === undefined || !/^\d/.test(version)) continue;
      const cpu = meaning(PROCESSORS, name);
      missing[`node_modules/${name}`] = {
        version,
        ...(cpu === undefined ? {} : { cpu: [cpu] }),
        ...(entry.dev === true ? { dev: true } : {}),
        optional: true,
        os: [os],
      };
    }
  }
  return missing;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingEntries(lock.packages);
  const count = Object.keys(missing).length;
  if (process.argv.includes('--check')) {
    for (const path of Object.keys(missing)) console.error(`complete-lock: ${path} is missing`);
    process.exit(count === 0 ? 0 : 1);
  }
  if (count > 0) {
    // As npm sorts them.
    const all = Object.entries({ ...lock.packages, ...missing });
    lock.packages = Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b, 'en')));
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  }
  console.log(`complete-lock: ${count} entries added`);
}
