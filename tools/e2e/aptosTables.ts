import { aptosSeqNo } from '@imart/chain-aptos';
import type { SeqNo } from '@imart/core';
import { query } from '../realdata/tables';
import type { ScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import type { ScriptedOffer, ScriptedScenes } from '../replay-fullnode/src/scriptedScenes';

/** What the tables hold of a scripted market, in the words of {@link ScriptedMarket}. */
export interface StoredMarket {
  readonly open: readonly { readonly seller: string; readonly price: bigint; readonly version: bigint }[];
  readonly counts: Readonly<Record<'listed' | 'delisted' | 'sold', number>>;
  readonly scenes: Omit<ScriptedScenes, 'sales'>;
}

export async function storedMarket(url: string, subjectId: string): Promise<StoredMarket> {
  const seqNos = aptosSeqNo;
  // Another chain may have its rows beside them.
  const own = `subject = (SELECT id FROM subjects WHERE subject_id = '${subjectId}')`;
  const orders = await query(
    url,
    `SELECT seller, price, opened_seq_no FROM orders WHERE ${own} AND status = 'LISTING' ORDER BY opened_seq_no`,
  );
  const kinds = await query(
    url,
    `SELECT kind, count(*)::int AS n FROM activities WHERE ${own} GROUP BY kind`,
  );
  const count = (kind: string): number => Number(kinds.find((row) => row['kind'] === kind)?.['n'] ?? 0);
  const offers = await query(
    url,
    `SELECT bidder, status, quantity, filled_quantity, opened_seq_no FROM offers WHERE ${own} ORDER BY opened_seq_no`,
  );
  const column = async (name: string, table: string, order: string): Promise<readonly string[]> => {
    const rows = await query(url, `SELECT ${name} AS value FROM ${table} WHERE ${own} ORDER BY ${order}`);
    return rows.map((row) => String(row['value']));
  };
  return {
    open: orders.map((row) => ({
      seller: String(row['seller']),
      price: BigInt(String(row['price'])),
      version: seqNos.decode(BigInt(String(row['opened_seq_no'])) as SeqNo).position,
    })),
    counts: { listed: count('LIST'), delisted: count('CANCEL'), sold: count('SALE') },
    scenes: {
      offers: offers.map((row) => ({
        bidder: String(row['bidder']),
        version: seqNos.decode(BigInt(String(row['opened_seq_no'])) as SeqNo).position,
        quantity: Number(row['quantity']),
        filled: Number(row['filled_quantity']),
        status: String(row['status']) as ScriptedOffer['status'],
      })),
      collections: await column('name', 'collections', 'seq_no'),
      tokens: await column('name', 'token_details', 'length(name), name'),
      galleries: await column('name', 'galleries', 'gallery_id::int'),
      curationOffers: await column('status', 'curation_offers', 'offer_id::int'),
      exhibits: await column('status', 'exhibits', 'exhibit_id::int'),
    },
  };
}

/** What they must hold once all of the script is executed. */
export function expectedMarket({ open, counts, scenes }: ScriptedMarket): StoredMarket {
  const { listed, delisted, sold } = counts;
  const { sales, ...rest } = scenes;
  return {
    open: open.map(({ seller, price, version }) => ({ seller, price, version })),
    counts: { listed, delisted, sold: sold + sales },
    scenes: rest,
  };
}

/** Every row of every table, as {@link dump} gives them. */
export type Tables = Readonly<Record<string, string>>;

/** Where two runs differ: of each table the first row that is not the same. None: they left the same. */
export function firstDifferences(expected: Tables, actual: Tables): readonly string[] {
  return Object.keys({ ...expected, ...actual }).flatMap((table) => {
    const [rows, others] = [(expected[table] ?? '').split('\n'), (actual[table] ?? '').split('\n')];
    const at = rows.findIndex((row, i) => row !== others[i]);
    if (at < 0 && rows.length === others.length) return [];
    const row = at < 0 ? rows.length : at;
    return [`${table} (${rows.length}, ${others.length} rows): ${rows[row]} is ${others[row]}`];
  });
}
