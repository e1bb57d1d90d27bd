// Shows that prisma/schema.prisma and prisma/migrations agree, and that Prisma's own engine accepts what our migration runner
// writes. Applies all migrations and the secondary indexes to an empty database and lets the engine compare the database with the schema.
//
//   node tools/check-schema.mjs            exit code 0: they agree; 1: the difference is printed
//   node tools/check-schema.mjs --script   prints the SQL that would lead from the migrations to the schema
//   node tools/check-schema.mjs --schema <file>   compares another schema
//
// Uses the server named by IMART_TEST_DATABASE_URL, or an embedded one in a temporary directory.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPg } from '@prisma/adapter-pg';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';

function argumentAfter(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const schemaPath = resolve(argumentAfter('--schema') ?? join(root, 'prisma', 'schema.prisma'));
const migrationsDir = join(root, 'prisma', 'migrations');
const tsconfig = join(root, 'tsconfig.base.json');
const script = process.argv.includes('--script');

/**
 * Prisma's adapter refuses PostgreSQL's internal type "char" (18), which catalog tables have: read it as text (25), and tell
 * the engine that it is a character.
 */
function createAdapter(connectionString) {
  const factory = new PrismaPg({ connectionString });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const query = adapter.client.query.bind(adapter.client);
    const queryRaw = adapter.queryRaw.bind(adapter);
    let charColumns = []; // Of the last result; the engine asks one thing at a time.
    adapter.client.query = async (...args) => {
      const result = await query(...args);
      charColumns = result.fields.flatMap((field, i) => (field.dataTypeID === 18 ? [i] : []));
      for (const i of charColumns) result.fields[i].dataTypeID = 25;
      return result;
    };
    adapter.queryRaw = async (...args) => {
      const result = await queryRaw(...args);
      for (const i of charColumns) result.columnTypes[i] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  };
  return bindMigrationAwareSqlAdapterFactory(factory);
}

/** The package's own entry imports its .wasm as a module, which Node does not; so it is instantiated here. */
async function loadEngine() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };
  const require = createRequire(import.meta.url);
  const wasmPath = join(dirname(require.resolve('@prisma/schema-engine-wasm')), 'schema_engine_bg.wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(wasmPath), {
    './schema_engine_bg.js': bindings,
  });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine;
}

// The libraries are TypeScript and name each other by the paths of tsconfig.base.json: run again under tsx.
if (process.env.TSX_TSCONFIG_PATH !== tsconfig) {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const env = { ...process.env, TSX_TSCONFIG_PATH: tsconfig };
  process.exit(spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1);
}
const { startTestServer } = await import('../libs/storage/src/testing/testDatabase.ts');
const { migrate, readMigrationFiles } = await import('../libs/storage/src/migrate/index.ts');
const { secondaryIndexes } = await import('../libs/storage/src/secondaryIndexes.ts');
const { Pool } = createRequire(import.meta.url)('pg');

const filters = { externalTables: [], externalEnums: [] };
const schema = { files: [{ path: schemaPath, content: readFileSync(schemaPath, 'utf8') }] };
const migrationsList = {
  baseDir: migrationsDir,
  lockfile: { path: './migration_lock.toml', content: 'provider = "postgresql"\n' },
  shadowDbInitScript: '',
  migrationDirectories: readMigrationFiles(migrationsDir).map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
  })),
};

const server = await startTestServer();
let failed = false;
try {
  const database = await server.createDatabase();
  const pool = new Pool({ connectionString: database.url });
  const applied = await migrate(pool, migrationsDir);
  // The schema names them too; the worker builds them after its first catch-up.
  for (const index of secondaryIndexes) await pool.query(index.sql);
  await pool.end();
  console.log(
    `applied ${applied.length} migration(s) and ${secondaryIndexes.length} secondary indexes to an empty database`,
  );

  const SchemaEngine = await loadEngine();
  const adapter = createAdapter(database.url);
  const engine = await SchemaEngine.new(
    { datamodels: [[schemaPath, schema.files[0].content]] },
    () => undefined,
    adapter,
  );

  const history = await engine.diagnoseMigrationHistory({
    migrationsList,
    optInToShadowDatabase: false,
    filters,
  });
  const faults = [...history.editedMigrationNames, ...history.failedMigrationNames];
  if (!history.hasMigrationsTable || history.history !== null || faults.length > 0) {
    failed = true;
    console.error(`Prisma's engine does not accept the migration history: ${JSON.stringify(history)}`);
  } else {
    console.log("Prisma's engine finds every migration applied and unchanged");
  }

  const diff = await engine.diff({
    from: { tag: 'schemaDatasource', ...schema, configDir: dirname(schemaPath) },
    to: { tag: 'schemaDatamodel', ...schema },
    script,
    exitCode: true,
    filters,
  });
  if (diff.exitCode !== 0) {
    failed = true;
    console.error(
      `schema.prisma and the migrations differ; from the migrations to the schema:\n${diff.stdout}`,
    );
  } else {
    console.log('schema.prisma and the migrations agree');
  }
  engine.free();
} finally {
  await server.stop();
}
process.exit(failed ? 1 : 0);
