import { ALICE, art, BOB, createMarketScript, given, MARKET } from '@imart/testing';
import type { TradeRow } from '../rows';
import { orderReducer } from './orders';

const one = { alongside: true, items: [art(1n)] } as const;
/** Statuses and prices of the rows, oldest first. */
const shown = (script: ReturnType<typeof createMarketScript>) =>
  (given(script).rows as readonly TradeRow[])
    .toSorted((a, b) => (a.openedSeqNo < b.openedSeqNo ? -1 : 1))
    .map(({ status, price }) => [status, price]);

describe('listings of one name that stand beside each other', () => {
  it('stay open when another one is made', () => {
    const script = createMarketScript()
      .listed('1', { ...one, price: 1n })
      .listed('1', { ...one, price: 2n });
    expect(shown(script)).toEqual([
      ['LISTING', 1n],
      ['LISTING', 2n],
    ]);
  });

  it('end one by one, the newest first', () => {
    const script = createMarketScript()
      .listed('1', { ...one, price: 1n })
      .listed('1', { ...one, price: 2n })
      .listed('1', { ...one, price: 3n })
      .filled('1')
      .cancelled('1');
    expect(shown(script)).toEqual([
      ['LISTING', 1n],
      ['CANCELED', 2n],
      ['SOLD', 3n],
    ]);
    given(script.filled('1')).then(
      [
        { status: 'SOLD', price: 1n },
        { status: 'CANCELED', price: 2n },
        { status: 'SOLD', price: 3n },
      ],
      [
        { kind: 'LIST' },
        { kind: 'LIST' },
        { kind: 'LIST' },
        { kind: 'SALE', price: 3n },
        { kind: 'CANCEL', price: 2n },
        { kind: 'SALE', price: 1n },
      ],
    );
  });

  it('are all in the newest row, from which the state is made again', () => {
    const script = createMarketScript()
      .listed('1', { ...one, price: 1n })
      .listed('1', { ...one, price: 2n })
      .listed('1', { ...one, price: 3n })
      .filled('1');
    const { rows } = given(script);
    const newest = (rows as readonly TradeRow[]).find(({ price }) => price === 3n) as TradeRow;
    expect(newest.beneath?.map(({ price }) => price)).toEqual([1n, 2n]);
    const state = orderReducer.restore(`${MARKET}:1`, [newest]);
    expect(orderReducer.rowsOf(state).map((row) => (row as TradeRow).price)).toEqual([1n, 2n, 3n]);
    const [cancel] = createMarketScript().nextBlock(9n).cancelled('1').events;
    const after = orderReducer.fold(state, cancel as never);
    expect(after.rows).toMatchObject([
      { price: 2n, status: 'CANCELED' },
      { price: 3n, status: 'SOLD', beneath: [{ price: 1n }] },
    ]);
  });

  it('are in the newest row as their own rows say', () => {
    const script = createMarketScript();
    for (let price = 1n; price <= 4n; price++) script.nextBlock().listed('1', { ...one, price });
    for (const each of [script, script.nextBlock().filled('1'), script.nextBlock().cancelled('1')]) {
      const rows = given(each).rows as readonly TradeRow[];
      const newest = rows.find(({ price }) => price === 4n) as TradeRow;
      for (const inside of newest.beneath ?? []) {
        expect(rows.find(({ key }) => key === inside.key)).toEqual(inside);
      }
      expect(newest.seqNo).toBe(each.events.at(-1)?.seqNo);
    }
    // Each row that held others was written anew when it no longer did.
    expect(given(script).rows.map(({ version }) => version)).toEqual([1, 3, 6, 6]);
  });

  it('stay open beneath an ended one while they are taken in parts', () => {
    const some = { ...one, items: [{ ...art(1n), quantity: 5n, standard: 'erc1155' as const }] };
    const piece = [{ ...art(1n), quantity: 1n, standard: 'erc1155' as const }];
    const script = createMarketScript()
      .listed('1', { ...some, price: 1n })
      .listed('1', { ...some, price: 2n })
      .cancelled('1')
      .filled('1', { items: piece })
      .filled('1', { items: piece })
      .cancelled('1');
    given(script).then(
      [
        { price: 1n, status: 'CANCELED', filledQuantity: 2n },
        { price: 2n, status: 'CANCELED', filledQuantity: 0n },
      ],
      [
        { kind: 'LIST' },
        { kind: 'LIST' },
        { kind: 'CANCEL' },
        { kind: 'SALE' },
        { kind: 'SALE' },
        { kind: 'CANCEL', price: 1n },
      ],
    );
  });

  it('take a later listing of another kind for a change of the newest', () => {
    const script = createMarketScript()
      .listed('1', { ...one, price: 1n })
      .listed('1', { ...one, price: 2n })
      .listed('1', { items: [art(1n)], price: 9n });
    expect(shown(script)).toEqual([
      ['LISTING', 1n],
      ['LISTING', 9n],
    ]);
  });

  it('are the maker’s own: another maker’s listing ends the newest', () => {
    const script = createMarketScript()
      .listed('1', { ...one, maker: ALICE, price: 1n })
      .listed('1', { ...one, maker: ALICE, price: 2n })
      .listed('1', { ...one, maker: BOB, price: 3n });
    expect(shown(script)).toEqual([
      ['LISTING', 1n],
      ['CANCELED', 2n],
      ['LISTING', 3n],
    ]);
  });
});

describe('fills that tell what is left', () => {
  it('make up for fills that were not seen', () => {
    const several = { ...art(1n), quantity: 5n, standard: 'erc1155' as const };
    const piece = { ...several, quantity: 1n };
    given(
      createMarketScript()
        .listed('1', { items: [several] })
        .filled('1', { items: [piece], remaining: 2n }),
    ).then(
      [{ status: 'LISTING', quantity: 5n, filledQuantity: 3n }],
      [{ kind: 'LIST' }, { kind: 'SALE', quantity: 1n }],
    );
    given(createMarketScript().filled('1', { items: [piece], remaining: 4n, closes: false })).then(
      [{ status: 'LISTING', quantity: 5n, filledQuantity: 1n }],
      [{ kind: 'SALE' }],
    );
  });

  it('tell fees and royalties in the sale', () => {
    given(
      createMarketScript()
        .listed('1', { items: [art(1n)], price: 10n })
        .filled('1', { fees: 3n, royalties: 2n }),
    ).then(
      [{ status: 'SOLD' }],
      [
        { kind: 'LIST', fees: null, royalties: null },
        { kind: 'SALE', fees: 3n, royalties: 2n },
      ],
    );
  });
});

describe('a cancellation of what was not seen', () => {
  it('knows the price that it tells', () => {
    given(createMarketScript().cancelled('1', { items: [art(1n)], price: 7n, currency: '0xab' })).then(
      [{ status: 'CANCELED', price: 7n, currency: '0xab' }],
      [{ kind: 'CANCEL', price: 7n }],
    );
  });
});
