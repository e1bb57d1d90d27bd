// npm start: builds what it runs, then starts everything (tools/start/main.ts).
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { buildApp, buildTool } from './build.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`npm start needs Node 20.19 or newer; this is ${process.version}`);
  process.exit(1);
}
const apps = ['evm-worker', 'purchase-worker', 'api'];
if (process.argv.includes('--aptos')) apps.push('aptos-worker');
await Promise.all([...apps.map((app) => buildApp(app)), buildTool('start', 'tools/start/main.ts')]);
createRequire(import.meta.url)(join(import.meta.dirname, '..', 'dist', 'start', 'main.cjs'));
