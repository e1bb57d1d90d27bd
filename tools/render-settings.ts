// Writes docs/settings.md and .env.example from the settings of the apps.
//   npx tsx tools/render-settings.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderConfigTable, renderEnvExample, type ConfigSchema } from '@imart/runtime';
import { apiConfig } from '../apps/api/src/config';
import { aptosWorkerConfig } from '../apps/aptos-worker/src/config';
import { evmWorkerConfig } from '../apps/evm-worker/src/config';
import { imartConfig } from '../apps/imart/src/config';
import { purchaseWorkerConfig } from '../apps/purchase-worker/src/config';

const APPS: readonly { name: string; what: string; schema: ConfigSchema }[] = [
  {
    name: 'evm-worker',
    what: 'Follows one chain and fills the database.',
    schema: evmWorkerConfig,
  },
  {
    name: 'aptos-worker',
    what: 'Follows one Aptos network and fills the same database.',
    schema: aptosWorkerConfig,
  },
  {
    name: 'purchase-worker',
    what: 'Runs the services of purchases.',
    schema: purchaseWorkerConfig,
  },
  { name: 'api', what: 'Serves what the worker has filled.', schema: apiConfig },
  {
    name: 'imart',
    what: 'The command line: works on the same database as the worker.',
    schema: imartConfig,
  },
];

const SETTINGS_HEAD = `# Settings

Made from \`apps/*/src/config.ts\` by \`npx tsx tools/render-settings.ts\`; do not edit.

Settings are environment variables. Every problem of all of them is reported at once, before anything connects, and the
process ends with an exit code other than 0. A name that is nearly a setting's is pointed out. An empty value counts as absent. Secret
values are never printed: of a URL, its host at most. \`.env.example\` lists them all; to use it:
\`cp .env.example .env\`, edit, and \`set -a; . ./.env; set +a\` before a command.
`;

const ENV_HEAD = `# Made from apps/*/src/config.ts by tools/render-settings.ts; do not edit this example, but a copy of it.
# Only what is not commented out must be set; the values shown are defaults or examples.
`;

/** Each generated file with the text that it must have. */
export function renderSettings(): Readonly<Record<string, string>> {
  const tables = APPS.map(({ name, what, schema }) => {
    // One level below the heading of the app.
    return `## ${name}\n\n${what}\n\n${renderConfigTable(schema)}`;
  });
  const seen = new Set<string>();
  const examples = APPS.flatMap(({ name, schema }) => {
    const own = Object.entries(schema).filter(([, setting]) => !seen.has(setting.name));
    for (const [, setting] of own) seen.add(setting.name);
    if (own.length === 0) return [];
    return [`# ---- ${name} ----\n\n${renderEnvExample(Object.fromEntries(own))}`];
  });
  return {
    'docs/settings.md': `${[SETTINGS_HEAD, ...tables].map((part) => part.trimEnd()).join('\n\n')}\n`,
    '.env.example': `${[ENV_HEAD, ...examples].map((part) => part.trimEnd()).join('\n\n')}\n`,
  };
}

if (require.main === module) {
  for (const [file, content] of Object.entries(renderSettings())) {
    writeFileSync(join(__dirname, '..', file), content);
  }
}
