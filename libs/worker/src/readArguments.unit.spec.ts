import { ConfigError } from '@imart/core';
import { readArguments, usageOf } from './readArguments';

describe('arguments of the worker', () => {
  it.each([[['--role', 'ingest']], [['--role=ingest']]])('%j is a setting', (args) => {
    expect(readArguments(args)).toEqual({ kind: 'run', settings: [['ROLE', 'ingest']] });
  });

  it('may be none', () => {
    expect(readArguments([])).toEqual({ kind: 'run', settings: [] });
  });

  it.each(['--help', '-h'])('show what there is with %s', (argument) => {
    expect(readArguments([argument])).toEqual({ kind: 'help' });
  });

  it.each([[['--rôle', 'x']], [['apply']], [['--role']], [['--role=']], [['--role', '']]])(
    'are refused when they are %j',
    (args) => {
      expect(() => readArguments(args)).toThrow(ConfigError);
    },
  );

  it('are told with the name of the program', () => {
    const usage = usageOf({ name: 'x-worker', summary: 'follows x' });
    expect(usage).toMatch(/^x-worker: follows x\n\nusage: x-worker \[--role all\|ingest\|apply\]\n/);
  });
});
