import { describeSubject, type ReadingOptions, type ServedChain } from '@imart/testing';
import { aptosSeqNo } from './seqNo';
import type { LedgerSource } from './source/ledgerSource';
import { createFakeLedger, type FakeLedger } from './testing/fakeLedger';
import { contractMarket, CONTRACT_HANDLES, CONTRACT_NODE, createContract } from './testing/contract';
import { createLedgerKit, type LedgerKit } from './testing/ledgerKit';

/** Something that serves a ledger, and can be behind it. */
interface Served {
  readonly bareEvents?: boolean;
  lag(head: bigint | null): void;
  source(options: ReadingOptions): LedgerSource;
}

/** How far a server is, looked at each time that it is asked, or its stream has come there. */
function lagging(ledger: FakeLedger, addRule: (rule: () => { head: bigint }) => void): Served['lag'] {
  let behind: bigint | null = null;
  addRule(() => ({
    get head() {
      return behind ?? ledger.head;
    },
  }));
  return (head) => void (behind = head);
}

const SOURCES: Readonly<Record<string, (kit: LedgerKit, ledger: FakeLedger) => Promise<Served>>> = {
  'an Aptos ledger by REST': async (kit, ledger) => {
    const node = await kit.node(ledger);
    return {
      lag: lagging(ledger, (rule) => node.rules.push(rule)),
      source: ({ batch }) => kit.restSource([node], batch === undefined ? {} : { pageMax: batch }),
    };
  },
  'an Aptos ledger by its stream': async (kit, ledger) => {
    const server = await kit.stream(ledger);
    return {
      lag: lagging(ledger, (rule) => server.rules.push(rule)),
      source: ({ batch }) => kit.streamSource([server], batch === undefined ? {} : { batchMax: batch }),
    };
  },
  'an Aptos contract by its handles': async (kit, ledger) => {
    const node = await kit.node(ledger, CONTRACT_NODE);
    return {
      lag: lagging(ledger, (rule) => node.rules.push(rule)),
      source: () => kit.handleSource([node], CONTRACT_HANDLES),
    };
  },
  'an Aptos contract by its bare events': async (kit, ledger) => {
    const node = await kit.node(ledger, CONTRACT_NODE);
    return {
      bareEvents: true,
      lag: lagging(ledger, (rule) => node.rules.push(rule)),
      source: () => kit.handleSource([node], CONTRACT_HANDLES, { bare: true }),
    };
  },
};

/** `version/index` of what the contract has told. */
const placesOf = (ledger: FakeLedger): string[] => {
  const places: string[] = [];
  for (let version = ledger.first; version <= ledger.head; version++) {
    const { info, user } = ledger.at(version) as { info: { success?: boolean }; user?: { events: object[] } };
    if (info.success === true) user?.events.forEach((_, index) => places.push(`${version}/${index}`));
  }
  return places;
};

for (const [name, serve] of Object.entries(SOURCES)) {
  describeSubject(name, {
    seqNos: aptosSeqNo,
    runs: 5,
    async open(positions): Promise<ServedChain> {
      const kit = createLedgerKit();
      const { ledger, grow } = createContract(positions);
      const served = await serve(kit, ledger);
      const other = async (chain: FakeLedger) =>
        kit.subject((await serve(kit, chain)).source({}), { bareEvents: served.bareEvents === true });
      return {
        head: () => ledger.head,
        places: () => placesOf(ledger),
        grow,
        subject: (options = {}) => {
          const { endPosition, eventsAheadMax } = options;
          return kit.subject(served.source(options), {
            markets: [contractMarket],
            bareEvents: served.bareEvents === true,
            ...(endPosition === undefined ? {} : { endVersion: endPosition }),
            ...(eventsAheadMax === undefined ? {} : { eventsAheadMax, messageEventsMax: 5 }),
          });
        },
        lag: served.lag,
        ofAnotherId: () => {
          const chain = createFakeLedger(9);
          chain.add();
          return other(chain);
        },
        startedAnew: () => other(createContract(10, 'another').ledger),
        close: () => kit.close(),
      };
    },
  });
}
