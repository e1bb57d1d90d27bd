import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { mixverseSpace } from './mixverseSpace';

const MARKET = addressOf(0xaaa);
const [SELLER, BUYER, OTHER, NFT] = [1, 2, 3, 4].map(addressOf) as [string, string, string, string];

const listed = (amount: bigint, price: bigint, id = 7n): EvmLog =>
  encodeLog(
    MARKET,
    'ItemListedEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 pricePerToken, string uri)',
    [id, 9n, NFT, SELLER, amount, price, 'ipfs://x'],
  );
const purchased = (amount: bigint, buyer = BUYER, id = 7n): EvmLog =>
  encodeLog(
    MARKET,
    'ItemPurchasedEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, address buyer, uint256 totalAmount, uint256 amount, uint256 pricePerToken)',
    // The total is left out on purpose: whether it is the remainder or all is not relied on.
    [id, 9n, NFT, SELLER, buyer, 0n, amount, 5n],
  );
const soldOut = (id = 7n): EvmLog =>
  encodeLog(
    MARKET,
    'ItemSoldEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 pricePerToken)',
    [id, 9n, NFT, SELLER, 0n, 5n],
  );
const canceled = (): EvmLog =>
  encodeLog(
    MARKET,
    'ItemCanceledEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 amount, uint256 pricePerToken)',
    [7n, 9n, NFT, SELLER, 0n, 6n, 5n],
  );
const moved = (to: string, amount: bigint, from = SELLER): EvmLog =>
  encodeLog(
    NFT,
    'TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
    [MARKET, from, to, 9n, amount],
  );

const translate = (...transactions: EvmLog[][]) =>
  translateReceipts(
    mixverseSpace,
    [MARKET],
    transactions.map((logs, i) => receiptWith(i + 1, logs)),
  );

describe('mixverseSpace', () => {
  it('sells a listing in parts to several buyers and closes it when the quantity is used up (D13)', () => {
    const { rows, activities } = foldEvents(
      translate([listed(10n, 5n)], [purchased(3n)], [purchased(6n, OTHER)], [purchased(1n)]),
    );
    expect(rows).toMatchObject([
      { maker: SELLER, quantity: 10n, filledQuantity: 10n, price: 50n, status: 'SOLD', standard: 'erc1155' },
    ]);
    expect(activities).toMatchObject([
      { kind: 'LIST', quantity: 10n, price: 50n },
      { kind: 'SALE', to: BUYER, quantity: 3n, price: 15n },
      { kind: 'SALE', to: OTHER, quantity: 6n, price: 30n },
      { kind: 'SALE', to: BUYER, quantity: 1n, price: 5n },
    ]);
  });

  it.each([
    ['before', [purchased(4n), soldOut()]],
    ['after', [soldOut(), purchased(4n)]],
  ])('counts the last purchase once when ItemSold accompanies it, with the purchase %s', (_, logs) => {
    // Fewer were seen than were listed (some went before the first followed block): only ItemSold tells the end.
    const { rows, activities } = foldEvents(translate([listed(10n, 5n)], logs));
    expect(rows).toMatchObject([{ status: 'SOLD', filledQuantity: 4n }]);
    expect(activities).toMatchObject([{ kind: 'LIST' }, { kind: 'SALE', quantity: 4n, price: 20n }]);
  });

  it('takes buyer and quantity from the token transfer when ItemSold stands alone', () => {
    const { rows, activities } = foldEvents(
      translate([listed(10n, 5n)], [purchased(8n)], [moved(OTHER, 2n), soldOut()]),
    );
    expect(rows).toMatchObject([{ status: 'SOLD', taker: OTHER, filledQuantity: 10n }]);
    expect(activities[2]).toMatchObject({ kind: 'SALE', from: SELLER, to: OTHER, quantity: 2n, price: 10n });
  });

  it('only closes the listing when ItemSold stands alone and nothing moved', () => {
    const { rows, activities } = foldEvents(translate([listed(10n, 5n)], [soldOut()]));
    expect(rows).toMatchObject([{ status: 'SOLD', filledQuantity: 0n }]);
    expect(activities).toHaveLength(1);
  });

  it('does not mix up two items that are bought in one transaction', () => {
    const { rows } = foldEvents(
      translate(
        [listed(4n, 5n, 1n), listed(6n, 5n, 2n)],
        // Two of the second went before the first followed block.
        [purchased(4n, BUYER, 2n), purchased(2n, BUYER, 1n), soldOut(2n)],
      ),
    );
    expect(rows).toMatchObject([
      { id: '1', status: 'LISTING', filledQuantity: 2n },
      { id: '2', status: 'SOLD', filledQuantity: 4n },
    ]);
  });

  it('cancels what is left', () => {
    const { rows } = foldEvents(translate([listed(10n, 5n)], [purchased(4n)], [canceled()]));
    expect(rows).toMatchObject([{ status: 'CANCELED', filledQuantity: 4n, quantity: 10n }]);
  });

  it('changes the terms of a live listing that is listed again', () => {
    const { rows, activities } = foldEvents(translate([listed(10n, 5n)], [listed(20n, 6n)]));
    expect(rows).toMatchObject([{ status: 'LISTING', quantity: 20n, price: 120n }]);
    expect(activities).toMatchObject([{ kind: 'LIST' }, { kind: 'UPDATE', price: 120n }]);
  });

  it('asks for the receipt of ItemSold only', () => {
    expect(
      [listed(1n, 1n), purchased(1n), soldOut(), canceled()].map((log) => mixverseSpace.needsReceipt(log)),
    ).toEqual([false, false, true, false]);
  });
});
