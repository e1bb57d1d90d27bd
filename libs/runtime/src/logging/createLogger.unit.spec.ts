import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ConfigError, WorkerError } from '@imart/core';
import { createLogger, type LoggerOptions } from './createLogger';

const now = (): Date => new Date('2024-05-06T07:08:09.123Z');

function capture(options: Partial<LoggerOptions> = {}) {
  const output = new PassThrough() as PassThrough & { isTTY?: boolean };
  let written = '';
  output.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const logger = createLogger({ level: 'info', output, now, ...options });
  return {
    logger,
    async text(): Promise<string> {
      await logger.close();
      return written;
    },
    async lines(): Promise<Record<string, unknown>[]> {
      const all = (await this.text()).split('\n');
      expect(all.pop()).toBe('');
      return all.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

describe('createLogger', () => {
  it('writes one JSON object per line, with the fields of the logger, its children and the line', async () => {
    const out = capture({ fields: { app: 'evm-worker' } });
    out.logger
      .child({ subject: 'eip155:1', lane: 0 })
      .warn('behind\nthe head', { lane: 1, lag: 3n, time: 'noon' });
    out.logger.debug('not written');
    expect(await out.lines()).toEqual([
      {
        time: '2024-05-06T07:08:09.123Z',
        level: 'warn',
        message: 'behind\nthe head',
        app: 'evm-worker',
        subject: 'eip155:1',
        lane: 1,
        lag: '3',
        time_: 'noon',
      },
    ]);
  });

  it('writes errors with code, fields, stack and all causes', async () => {
    const out = capture();
    const cause = new AggregateError([new TypeError('inner')], 'all failed');
    const error = new WorkerError('lost', {
      code: 'LOST',
      disposition: 'retry',
      fields: { block: 17n },
      cause,
    });
    out.logger.error('ingest failed', { error });
    const [line] = await out.lines();
    expect(line!['error']).toMatchObject({
      name: 'WorkerError',
      message: 'lost',
      code: 'LOST',
      disposition: 'retry',
      fields: { block: '17' },
      stack: expect.stringContaining('createLogger.unit.spec'),
      cause: { message: 'all failed', errors: [{ name: 'TypeError', message: 'inner' }] },
    });
  });

  it('survives whatever it is given', async () => {
    const out = capture();
    const circle: Record<string, unknown> = {
      nan: Number.NaN,
      bytes: Buffer.from('00ff', 'hex'),
      map: new Map([[1n, 2n]]),
    };
    circle['self'] = circle;
    const hostile = {
      get boom(): never {
        throw new Error('no');
      },
    };
    let deep: unknown = 'end';
    for (let i = 0; i < 20; i++) deep = { deep };
    const long = 'x'.repeat(100_000);
    out.logger.info('odd', {
      circle,
      hostile,
      deep,
      long,
      many: Array.from({ length: 500 }, (_, i) => i),
      nul: '\u0000',
    });
    const text = await out.text();
    expect(text.length).toBeLessThan(20_000);
    const line = JSON.parse(text) as Record<string, unknown>;
    expect(line['circle']).toEqual({ nan: 'NaN', bytes: '0x00ff', map: { '1': '2' }, self: '[circular]' });
    expect(line['hostile']).toBe('[unreadable]');
    expect(JSON.stringify(line['deep'])).toContain('[too deep]');
    expect(line['long']).toMatch(/^x{16384}… \(100000 characters\)$/);
    expect((line['many'] as unknown[]).at(-1)).toBe('[400 more]');
  });

  it('never prints a secret: in message, field, field name, stack, nested cause, escaped or inside another text', async () => {
    const secrets = [
      'https://eth.example/v2/AbCdEfGhIjKlMnOp,wss://me:p%40ssword9@ws.example/feed?apikey=QrStUvWxYz123',
      'postgres://imart:hunter2"x@db.example:5432/imart',
      'plain-secret-value',
    ];
    const forbidden = [
      'AbCdEfGhIjKlMnOp',
      'p%40ssword9',
      'p@ssword9',
      'QrStUvWxYz123',
      'hunter2',
      'plain-secret-value',
    ];
    const everything = secrets.flatMap((secret) => secret.split(',')).concat(forbidden.slice(0, -2));
    for (const format of ['json', 'pretty'] as const) {
      const out = capture({ secrets, format, level: 'debug' });
      for (const secret of everything) {
        const error = new Error(`connect ${secret} failed`, {
          cause: new Error(`inner <${secret}>`, { cause: secret }),
        });
        out.logger.info(`using ${secret}, then`, {
          secret,
          url: secret,
          [secret]: 1,
          list: [{ deep: `(${secret})` }],
          error,
        });
        out.logger.child({ bound: secret }).error(JSON.stringify({ body: secret }), { error });
      }
      const text = await out.text();
      for (const word of forbidden) expect(text).not.toContain(word);
      expect(text).toContain('https://eth.example/…');
      expect(text).toContain('db.example');
    }
  });

  it('hides keys that an answer repeats without their URL: of path, query and user; words that are none stay', async () => {
    const secrets = [
      'https://k3yOfUser1:@a.example/v2/k3yOfPath?token=k3yOfQuery',
      'https://full.example/v1/accounts',
      'postgresql://imart2024@db.example/imart?sslmode=disable',
    ];
    const out = capture({ secrets });
    out.logger.info(
      '/v2/k3yOfPath?token=k3yOfQuery is not for k3yOfUser1: /v1/accounts is disabled for imart2024',
    );
    expect((await out.lines())[0]).toMatchObject({
      message: '/v2/[secret]?token=[secret] is not for [secret]: /v1/accounts is disabled for imart2024',
    });
  });

  it('hides the path, query and credentials of URLs it was not told of, and values named a password', async () => {
    const out = capture();
    out.logger.info('POST https://mainnet.infura.example/v3/0123456789abcdef failed', {
      a: 'see https://user:pw@rpc.example:8443, or https://rpc.example?key=k',
      b: 'http://127.0.0.1:3000/docs and https://rpc.example/',
      c: 'postgres://u:p@ss/w0rd@db.example/x',
      d: 'host=db password=abc123 dbname=x; Authorization: Bearer abcdefghijk',
      password: 'open sesame',
      nested: { apiKey: 12345n, tokenId: 7n },
    });
    const [line] = await out.lines();
    expect(line).toMatchObject({
      message: 'POST https://mainnet.infura.example/… failed',
      a: 'see https://rpc.example:8443/…, or https://rpc.example/…',
      b: 'http://127.0.0.1:3000/docs and https://rpc.example/',
      c: 'postgres://…',
      d: 'host=db password=[secret] dbname=x; Authorization: Bearer [secret]',
      password: '[secret]',
      nested: { apiKey: '[secret]', tokenId: '7' },
    });
  });

  it('does not show half of a secret where a long text is cut', async () => {
    const secret = 'very-secret-key-0123456789';
    for (const at of [16_384, 65_536]) {
      const out = capture({ secrets: [secret] });
      out.logger.info('long', { body: 'x'.repeat(at - 10) + secret });
      expect(await out.text()).not.toContain('very-secr');
    }
  });

  it('is for people on a terminal: time, level, message, fields, and stacks below', async () => {
    const terminal = new PassThrough() as PassThrough & { isTTY?: boolean };
    terminal.isTTY = true;
    let written = '';
    terminal.on('data', (chunk: Buffer) => (written += chunk.toString()));
    const logger = createLogger({ level: 'info', output: terminal, now });
    logger.info('ingested', { block: 17n, note: 'two words' });
    logger.error('failed', { error: new Error('outer', { cause: new Error('inner') }) });
    await logger.close();
    expect(written).toContain('\u001b[36m');
    const plain = written.replace(/\u001b\[\d+m/g, '').split('\n');
    expect(plain[0]).toBe('07:08:09.123 INFO  ingested block=17 note="two words"');
    expect(plain[1]).toBe('07:08:09.123 ERROR failed error=outer');
    expect(plain[2]).toBe('    error: Error: outer');
    expect(plain.some((line) => line === '    caused by: Error: inner')).toBe(true);
  });

  it('keeps errors, and only errors, in error.log too, whole when close returns', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'imart-log-'));
    const out = capture({ errorLogDir: join(dir, 'a', 'b'), secrets: ['plain-secret-value'] });
    for (let i = 0; i < 500; i++) {
      out.logger.warn('not there');
      out.logger.error('there', { i, text: 'plain-secret-value' });
    }
    expect(await out.lines()).toHaveLength(1000);
    const file = readFileSync(join(dir, 'a', 'b', 'error.log'), 'utf8');
    const kept = file
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(kept.map((line) => line['i'])).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(file).not.toContain('plain-secret-value');
    rmSync(dir, { recursive: true });
  });

  it('refuses a directory for error.log that cannot be, and names the setting', () => {
    const dir = mkdtempSync(join(tmpdir(), 'imart-log-'));
    writeFileSync(join(dir, 'file'), '');
    const create = () =>
      createLogger({ level: 'info', errorLogDir: join(dir, 'file', 'logs'), errorLogSetting: 'LOG_DIR' });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow('LOG_DIR: the directory');
    rmSync(dir, { recursive: true });
  });

  it('goes on when its reader goes away', async () => {
    const out = capture();
    const output = new PassThrough();
    const logger = createLogger({ level: 'info', output });
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    logger.info('into the void');
    await out.logger.close();
    await logger.close();
  });
});
