import { loadConfig, type Environment } from '@imart/runtime';
import { createFakeLedger } from '../testing/fakeLedger';
import {
  burnMarket,
  createLedgerKit,
  ledgerOf,
  versionsOfEvents,
  type LedgerKit,
} from '../testing/ledgerKit';
import { createLedgerStore } from '../testing/ledgerStore';
import { aptosChainSettings } from './aptosSettings';
import { openLedger, type Ledger } from './openLedger';

let kit: LedgerKit;
let opened: Ledger[];
beforeEach(() => {
  kit = createLedgerKit();
  opened = [];
});
afterEach(async () => {
  for (const ledger of opened) ledger.close();
  await kit.close();
});

const { signal } = new AbortController();
async function open(environment: Environment, endVersion?: bigint): Promise<Ledger> {
  const { config } = loadConfig(aptosChainSettings, environment);
  const ledger = await openLedger({ ...config, endVersion, pollIntervalMs: 20 }, kit.logger, signal);
  opened.push(ledger);
  return ledger;
}

describe('the ledger of the settings', () => {
  it('is read by the source that they name, from the same place on, with the same events', async () => {
    const served = ledgerOf(600);
    const [node, server] = [await kit.node(served), await kit.stream(served)];
    const store = createLedgerStore();
    const byRest = await open({ APTOS_URLS: node.url }, 299n);
    const byStream = await open({ APTOS_URLS: server.url, APTOS_SOURCE: 'grpc' }, 599n);
    expect([byRest.chainId, byStream.chainId]).toEqual([4, 4]);
    expect(byRest.health()).toEqual({ ok: true });
    for (const ledger of [byRest, byStream]) {
      const subject = ledger.createSubject([burnMarket]);
      expect(await subject.identify(signal)).toMatchObject({ subjectId: 'aptos:4' });
      await kit.read(subject, store);
    }
    expect(store.events.map(({ source }) => source.position)).toEqual(versionsOfEvents(0, 599));
  });

  it('is refused when the endpoints serve another one than CHAIN_ID says (P14)', async () => {
    const served = ledgerOf(3);
    for (const environment of [
      { APTOS_URLS: (await kit.node(served)).url },
      { APTOS_URLS: (await kit.stream(served)).url, APTOS_SOURCE: 'grpc' },
    ]) {
      const ledger = await open({ ...environment, CHAIN_ID: '9' });
      await expect(ledger.createSubject([]).identify(signal)).rejects.toMatchObject({ code: 'WRONG_CHAIN' });
    }
  });

  it('cannot be told by a stream without its beginning, and is asked for', async () => {
    const pruned = createFakeLedger(7, 'pruned', 100n);
    pruned.add();
    const { url } = await kit.stream(pruned);
    const environment = { APTOS_URLS: url, APTOS_SOURCE: 'grpc' };
    await expect(open(environment)).rejects.toMatchObject({
      code: 'CONFIG',
      problems: [expect.objectContaining({ setting: 'CHAIN_ID' })],
    });
    expect((await open({ ...environment, CHAIN_ID: '7' })).chainId).toBe(7);
  });

  it('is read by handles where they are named, and asks for them where they are not', async () => {
    const event = { type: '0xca11::market::Burn', account: '0xca11', creationNumber: 4, data: { id: '1' } };
    const served = createFakeLedger();
    for (let i = 0; i < 30; i++)
      served.add(i % 10 === 0 ? { events: [{ ...event, sequenceNumber: i / 10 }] } : {});
    const { url } = await kit.node(served, { handles: { '0xca11::market::Events/burns': '4' } });
    const environment = { APTOS_URLS: url, APTOS_SOURCE: 'handles' };
    await expect(open(environment)).rejects.toMatchObject({ code: 'CONFIG' });
    const ledger = await open({ ...environment, APTOS_HANDLES: '0xca11::market::Events/burns' }, 29n);
    const store = createLedgerStore();
    await kit.read(ledger.createSubject([burnMarket]), store);
    expect(store.events.map(({ source }) => source.position)).toEqual([0n, 10n, 20n]);
    for (const wrong of ['0xca11::market/burns', 'market::Events/burns', '0xca11::market::Events'])
      expect(() => loadConfig(aptosChainSettings, { ...environment, APTOS_HANDLES: wrong })).toThrow(
        /APTOS_HANDLES/,
      );
  });

  it('needs an endpoint and a source that there is', () => {
    expect(() => loadConfig(aptosChainSettings, {})).toThrow(/APTOS_URLS/);
    expect(() => loadConfig(aptosChainSettings, { APTOS_URLS: 'http://x', APTOS_SOURCE: 'ws' })).toThrow(
      /APTOS_SOURCE/,
    );
  });
});
