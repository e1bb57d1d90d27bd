// Compiles contracts/*.sol with solc from npm into artifacts/<Contract>.json: { contractName, compiler, settings,
// sourceHash, abi, bytecode }. `node tools/devnet/compile.mjs` writes them; `--check` writes nothing and fails when a
// committed artifact differs from what the sources give.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const CONTRACTS = [
  'CommissionPool',
  'Curation',
  'IMartMarket',
  'Lottery',
  'MixverseSpace',
  'MultipleCollective',
  'MultipleToken',
  'SingleCollective',
  'SingleToken',
];

/** The compiler's own metadata is left out of the bytecode: it would change it with every comment. */
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: 'cancun',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

/** @returns {Map<string, string>} artifact file name to its exact text */
export function compileArtifacts() {
  const solc = createRequire(import.meta.url)('solc');
  const names = readdirSync(join(here, 'contracts'))
    .filter((name) => name.endsWith('.sol'))
    .sort();
  const sources = Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(join(here, 'contracts', name), 'utf8') }]),
  );
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update('\0').update(sources[name].content).update('\0');
  const sourceHash = hash.digest('hex');
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources,
        settings: { ...SETTINGS, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
      }),
    ),
  );
  const problems = output.errors ?? [];
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'));
  const artifacts = new Map();
  for (const file of Object.values(output.contracts)) {
    for (const [contractName, contract] of Object.entries(file)) {
      if (!CONTRACTS.includes(contractName)) continue;
      const artifact = {
        contractName,
        compiler: solc.version(),
        settings: SETTINGS,
        sourceHash,
        abi: contract.abi,
        bytecode: `0x${contract.evm.bytecode.object}`,
      };
      artifacts.set(`${contractName}.json`, `${JSON.stringify(artifact, null, 2)}\n`);
    }
  }
  return artifacts;
}

/** @returns {string[]} names of the artifacts that differ from what the sources give, missing and stray ones included */
export function staleArtifacts() {
  const fresh = compileArtifacts();
  const committed = readdirSync(join(here, 'artifacts'));
  const read = (name) => readFileSync(join(here, 'artifacts', name), 'utf8');
  return [...new Set([...fresh.keys(), ...committed])].filter(
    (name) => !fresh.has(name) || !committed.includes(name) || fresh.get(name) !== read(name),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [flag] = process.argv.slice(2);
  if (flag === '--check') {
    const stale = staleArtifacts();
    if (stale.length > 0) {
      console.error(`out of date: ${stale.join(', ')}; run: node tools/devnet/compile.mjs`);
      process.exitCode = 1;
    }
  } else if (flag === undefined) {
    const artifacts = compileArtifacts();
    for (const name of readdirSync(join(here, 'artifacts'))) {
      if (!artifacts.has(name)) rmSync(join(here, 'artifacts', name));
    }
    for (const [name, text] of artifacts) writeFileSync(join(here, 'artifacts', name), text);
    console.log(`wrote ${[...artifacts.keys()].join(', ')}`);
  } else {
    console.error('usage: node tools/devnet/compile.mjs [--check]');
    process.exitCode = 2;
  }
}
