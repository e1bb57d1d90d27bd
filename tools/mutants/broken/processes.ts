import type { Mutant, Suite } from '../mutants';

const SHUTDOWN = (only: string): Suite => ({ files: ['libs/runtime/src/createShutdown.unit.spec.ts'], only });
const OPEN_SUBJECT = (only: string): Suite => ({
  files: ['libs/storage/src/subject/openSubject.int.spec.ts'],
  only,
});

/** Starting, ending, logging and bounds of processes. */
export const PROCESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'secrets-printed',
    breaks: 'logs tell keys and passwords',
    patches: [
      {
        file: 'libs/runtime/src/logging/createLogger.ts',
        search: 'const redact = createRedactor(options.secrets ?? []);',
        replace: 'const redact = (text: string): string => text;',
      },
    ],
    suite: { files: ['libs/runtime/src/logging/createLogger.unit.spec.ts'], only: 'never prints a secret' },
  },
  {
    name: 'first-wrong-setting-only',
    breaks: 'of several wrong settings the first one is told alone',
    patches: [
      {
        file: 'libs/runtime/src/config/loadConfig.ts',
        search: 'problems.push({ setting: setting.name, problem: `${messageOf(error)}${got}` });',
        replace: 'throw new ConfigError([{ setting: setting.name, problem: `${messageOf(error)}${got}` }]);',
      },
    ],
    suite: { files: ['libs/runtime/src/config/loadConfig.unit.spec.ts'] },
  },
  {
    name: 'fault-ends-with-0',
    breaks: 'a rejection that nobody handles ends the process as if all were well (Q21)',
    patches: [
      {
        file: 'libs/runtime/src/createShutdown.ts',
        search: 'void begin(kind, 1, 1);',
        replace: 'void begin(kind, 0, 0);',
      },
    ],
    suite: SHUTDOWN('(Q21)'),
  },
  {
    name: 'shutdown-does-not-wait',
    breaks: 'a process that is asked to end does not wait for what runs (Q20)',
    patches: [
      {
        file: 'libs/runtime/src/createShutdown.ts',
        search: 'await closer.close();',
        replace: 'void closer.close();',
      },
    ],
    suite: SHUTDOWN('(Q20)'),
  },
  {
    name: 'undecodable-dropped',
    breaks: 'a log of a marketplace that cannot be decoded is left out (D7)',
    patches: [
      {
        file: 'libs/chain-evm/src/translate.ts',
        search: "if (typeof draft === 'string') pushUndecodable(log, draft, log.logIndex, part);",
        replace: "if (typeof draft === 'string') continue;",
      },
    ],
    suite: { files: ['libs/chain-evm/src/translate.unit.spec.ts'], only: '(D7)' },
  },
  {
    name: 'read-ahead-without-bound',
    breaks: 'reading does not wait for executing (P19, Q17)',
    patches: [
      {
        file: 'libs/endpoints/src/backPressure.ts',
        search: 'if (waiting <= eventsMax || signal.aborted) return Promise.resolve();',
        replace: 'if (!signal.aborted) return Promise.resolve();',
      },
    ],
    suite: { files: ['libs/endpoints/src/backPressure.unit.spec.ts'], only: '(P19, Q17)' },
  },
  {
    name: 'parked-without-bound',
    breaks: 'a fault of the program sets every aggregate aside, one by one (Q18)',
    patches: [
      {
        file: 'libs/pipeline/src/executor.ts',
        search: 'parked.size > parkedAggregatesMax',
        replace: 'parked.size > parkedAggregatesMax + 1_000_000',
      },
    ],
    suite: {
      files: ['libs/pipeline/src/failures.unit.spec.ts'],
      only: 'stops the worker when too many others have failed',
    },
  },
  {
    name: 'another-chain-accepted',
    breaks: 'a chain of the same id and another first block goes on in the tables of the old one',
    patches: [
      {
        file: 'libs/storage/src/subject/openSubject.ts',
        search: 'if (stored.genesis_hash !== identity.genesisHash) {',
        replace: 'if (stored.genesis_hash === undefined) {',
      },
    ],
    suite: OPEN_SUBJECT('refuses another chain under the same id'),
  },
  {
    name: 'another-number-of-lanes-accepted',
    breaks: 'aggregates change their lanes between two starts (B15)',
    patches: [
      {
        file: 'libs/storage/src/subject/openSubject.ts',
        search: 'if (Number(stored.lanes) !== lanes)',
        replace: 'if (Number(stored.lanes) < 0)',
      },
    ],
    suite: OPEN_SUBJECT('refuses another number of lanes'),
  },
  {
    name: 'migration-in-pieces',
    breaks: 'what a migration that fails has done stays',
    patches: [
      {
        file: 'libs/storage/src/migrate/migrate.ts',
        search: "await client.query('BEGIN');",
        replace: '',
      },
    ],
    suite: {
      files: ['libs/storage/src/migrate/migrate.int.spec.ts'],
      only: 'rolls a failing migration back as a whole',
    },
  },
];
