import type { FoldedRun } from '@imart/pipeline';
import { COPY_ACTIVITIES } from '../subject/activities';
import { copyInto } from '../subject/script';
import { encodeActivities, encodeRows } from '../subject/encodeRows';
import { marketTables, type MarketTable } from '../subject/marketTables';
import { copyStatement } from '../subject/tables';
import { freshName } from './freshTables';
import { allDone, type Session } from './session';

/** Bytes of COPY text that are gathered before they are sent: fewer statements, and memory for two such loads. */
const LOAD_BYTES = 1024 * 1024;

/** Fills the fresh tables. */
export interface FreshWriter {
  /** Takes what whole aggregates gave. Resolves when there is room for more. @throws what an earlier load met. */
  add(run: FoldedRun): Promise<void>;
  /** Sends the rest, and waits until the server has all of it. */
  finish(): Promise<void>;
  /** Waits for what is on its way, whatever becomes of it. */
  settle(): Promise<void>;
}

interface Load {
  readonly tables: Map<string, Buffer[]>;
  readonly activities: Buffer[];
  bytes: number;
}

/**
 * What was folded is encoded at once and sent in loads, states and activities each on a connection of its own, one load
 * being gathered while another is on its way.
 */
export function createFreshWriter(subject: number, states: Session, history: Session): FreshWriter {
  const copyActivities = COPY_ACTIVITIES.replace('"activities"', `"${freshName('activities')}"`);
  let load = emptyLoad();
  let sending: Promise<void> = Promise.resolve();

  const sendStates = async (tables: Load['tables']): Promise<void> => {
    for (const [name, text] of tables) {
      await copyInto(states, copyStatement(marketTables.get(name) as MarketTable, freshName(name)), text);
    }
  };
  const sendActivities = async (text: readonly Buffer[]): Promise<void> => {
    if (text.length > 0) await copyInto(history, copyActivities, text);
  };
  const send = async (): Promise<void> => {
    await sending;
    const { tables, activities } = load;
    load = emptyLoad();
    sending = allDone([sendStates(tables), sendActivities(activities)]);
    // Its error is met by whoever waits for it next.
    sending.catch(() => undefined);
  };

  return {
    async add(run) {
      for (const [name, text] of await encodeRows(subject, run.rows)) {
        const gathered = load.tables.get(name);
        if (gathered === undefined) load.tables.set(name, [...text]);
        else gathered.push(...text);
        load.bytes += bytesOf(text);
      }
      const activities = await encodeActivities(subject, run.activities);
      load.activities.push(...activities);
      load.bytes += bytesOf(activities);
      if (load.bytes >= LOAD_BYTES) await send();
    },
    async finish() {
      await send();
      await sending;
    },
    settle: () => sending.catch(() => undefined),
  };
}

const emptyLoad = (): Load => ({ tables: new Map(), activities: [], bytes: 0 });

const bytesOf = (text: readonly Buffer[]): number => text.reduce((sum, piece) => sum + piece.length, 0);
