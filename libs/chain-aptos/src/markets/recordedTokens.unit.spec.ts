import { type ClaimRow, type CollectionRow, type MarketRow, type TokenDetailsRow } from '@imart/market';
import { ZERO_ADDRESS } from '../address';
import { readProtoJsonTransaction } from '../read/protoJsonTransaction';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { describeAptosRecordings, readRecordedJson } from '../testing/recordings.spec';
import { foldEvents, translateTransactions } from '../testing/translation';
import type { AptosTransaction } from '../transaction';
import { objectOf, splitV1TokenId } from './tokenIds';
import { tokens } from './tokens';

const market = tokens.at('0x3');
const FOLDER = 'tokens';

type Cells = Readonly<Record<string, unknown>>;
const transactionOf = (file: string): AptosTransaction =>
  readProtoJsonTransaction(readRecordedJson(`${FOLDER}/transactions/${file}`));
const expected = (name: string, table: string): readonly Cells[] =>
  readRecordedJson(`${FOLDER}/expected/${name}/${table}.json`) as readonly Cells[];

/** Who has how much of which token, in their words: zero amounts left out, which both sides keep where they like. */
function ownerships(rows: readonly MarketRow[]): string[] {
  const lines = rows.flatMap((row) => {
    if (row.table === 'balances') {
      const { tokenDataId, version } = splitV1TokenId(row.tokenId);
      return row.quantity === 0n ? [] : [`v1 ${tokenDataId} ${version} ${row.owner} ${row.quantity}`];
    }
    if (row.table !== 'tokens' || row.owner === null) return [];
    return [`v2 ${objectOf(row.tokenId)} 0 ${row.owner} 1`];
  });
  return lines.sort();
}
const theirOwnerships = (rows: readonly Cells[]): string[] =>
  rows
    .filter((row) => row['amount'] !== '0')
    .map((row) =>
      [
        row['token_standard'],
        row['token_data_id'],
        row['property_version_v1'],
        row['owner_address'],
        row['amount'],
      ].join(' '),
    )
    .sort();

const KINDS: Readonly<Record<string, readonly string[]>> = {
  '0x3::token::DepositEvent': ['MINT', 'TRANSFER'],
  '0x3::token::TokenDeposit': ['MINT', 'TRANSFER'],
  '0x3::token::WithdrawEvent': ['TRANSFER', 'BURN'],
  '0x3::token::TokenWithdraw': ['TRANSFER', 'BURN'],
  '0x3::token_transfers::TokenOfferEvent': ['TOKEN_OFFER'],
  '0x3::token_transfers::Offer': ['TOKEN_OFFER'],
  '0x3::token_transfers::TokenCancelOfferEvent': ['TOKEN_OFFER_CANCEL'],
  '0x4::collection::MintEvent': ['MINT'],
  '0x4::collection::BurnEvent': ['BURN'],
  '0x1::object::TransferEvent': ['TRANSFER'],
  '0x1::object::Transfer': ['TRANSFER'],
};
const isMintOfNames = (type: string): boolean => /^0x3::token::Mint(TokenEvent)?$/.test(type);
const isWithdrawal = (type: string): boolean => /^0x3::token::(Token)?Withdraw/.test(type);

describeAptosRecordings('tokens, over the recorded cases', () => {
  const cases = readRecordedJson(`${FOLDER}/cases.json`) as readonly {
    case: string;
    batches: readonly (readonly string[])[];
  }[];

  it.each(cases.map((one) => [one.case, one.batches] as const))('gives the rows of %s', (name, batches) => {
    const events = batches.map((files) => translateTransactions([market], files.map(transactionOf)));
    const { rows, activities } = foldEvents(...events);

    // Difference 1: ours keeps no row of an owner whom a token of the second standard left; the token has one owner.
    expect(ownerships(rows)).toEqual(theirOwnerships(expected(name, 'current_token_ownerships_v2')));

    const claims = rows.filter((row): row is ClaimRow => row.table === 'claims');
    expect(
      claims.map((row) => ({
        ...splitV1TokenId(row.tokenId),
        from: row.sender,
        to: row.receiver,
        amount: row.quantity,
        collection: row.collection,
      })),
    ).toEqual(
      expected(name, 'current_token_pending_claims').map((row) => ({
        tokenDataId: row['token_data_id'],
        version: BigInt(row['property_version'] as string),
        from: row['from_address'],
        to: row['to_address'],
        amount: BigInt(row['amount'] as string),
        collection: row['collection_id'],
      })),
    );

    const byIndex = new Map(activities.map((one) => [one.event.source.index, one]));
    for (const theirs of expected(name, 'token_activities_v2')) {
      const type = theirs['type_'] as string;
      const ours = byIndex.get(theirs['event_index'] as number);
      // Difference 2: one move is one activity, not one for each half of it: that a token was minted is told by its deposit, and a
      // withdrawal is told by the deposit that follows, which names both accounts.
      if (ours === undefined) {
        expect(isMintOfNames(type) || isWithdrawal(type)).toBe(true);
        continue;
      }
      expect(KINDS[type]).toContain(ours.kind);
      expect(splitV1TokenId(ours.tokenId ?? 0n)).toEqual({
        tokenDataId: theirs['token_data_id'],
        version: BigInt(theirs['property_version_v1'] as string),
      });
      expect(ours.quantity).toBe(BigInt(theirs['token_amount'] as string));
      expect(ours.event.source.position).toBe(BigInt(theirs['transaction_version'] as number));
      // Difference 3: theirs says "from" the last owner of what was minted, ours that it came from nobody, to its first owner.
      if (type === '0x4::collection::MintEvent') expect(ours.from).toBe(ZERO_ADDRESS);
      // Difference 4: theirs knows one side of a deposit, ours both where the transaction tells.
      else if (theirs['from_address'] !== null) {
        // Difference 5: whose a burned token was, the handle's event does not say; theirs looks it up in its own tables.
        expect([theirs['from_address'], ...(type.endsWith('BurnEvent') ? [null] : [])]).toContain(ours.from);
      }
      if (theirs['to_address'] !== null) expect(ours.to).toBe(theirs['to_address']);
    }
    const theirIndexes = expected(name, 'token_activities_v2').map((row) => row['event_index']);
    expect([...byIndex.keys()].filter((index) => !theirIndexes.includes(index))).toEqual([]);
  });

  it.each(cases.map((one) => [one.case, one.batches] as const))('gives the words of %s', (name, batches) => {
    const { rows } = foldEvents(
      ...batches.map((files) => translateTransactions([market], files.map(transactionOf))),
    );
    const details = rows.filter((row): row is TokenDetailsRow => row.table === 'token_details');
    const ours = new Map(details.map((row) => [splitV1TokenId(row.tokenId).tokenDataId, row]));
    for (const theirs of expected(name, 'current_token_datas_v2')) {
      const row = ours.get(theirs['token_data_id'] as string);
      // Difference 6: of a token that was burned theirs has a row of empty words; its transaction tells none.
      if (theirs['is_deleted_v2'] === true) {
        expect([row, theirs['token_name'], theirs['token_uri']]).toEqual([undefined, '', '']);
        continue;
      }
      expect([`aptos-${theirs['token_standard'] as string}`, theirs['collection_id']]).toEqual([
        row?.standard,
        row?.collection,
      ]);
      expect([row?.name, row?.description, row?.uri]).toEqual([
        theirs['token_name'],
        theirs['description'],
        theirs['token_uri'],
      ]);
      ours.delete(theirs['token_data_id'] as string);
    }
    // Difference 7: a token of the first standard is called by the names that its id is made of, also where nothing was written of it.
    for (const { standard, name: called, creator } of ours.values()) {
      expect([standard, called, creator]).toEqual(['aptos-v1', expect.any(String), expect.any(String)]);
    }
  });

  it.each(cases.map((one) => [one.case, one.batches] as const))(
    'gives the collections of %s',
    (name, batches) => {
      const { rows } = foldEvents(
        ...batches.map((files) => translateTransactions([market], files.map(transactionOf))),
      );
      const theirs = expected(name, 'current_collections_v2');
      expect(
        rows
          .filter((row): row is CollectionRow => row.table === 'collections')
          .map((row) => [
            row.address,
            row.standard,
            row.creator,
            row.name,
            row.description,
            row.uri,
            row.maximum,
          ]),
      ).toEqual(
        theirs.map((row) => [
          row['collection_id'],
          `aptos-${row['token_standard'] as string}`,
          row['creator_address'],
          row['collection_name'],
          row['description'],
          row['uri'],
          row['max_supply'] === null ? null : BigInt(row['max_supply'] as string),
        ]),
      );
      // All of the second standard: what transactions write of a collection of the first does not name its creator.
      expect(theirs.every((row) => row['token_standard'] === 'v2')).toBe(true);
    },
  );

  it('gives the same in any batching, and of what is read twice', () => {
    const files = cases.flatMap(({ batches }) => batches.flat()).sort();
    const transactions = files.map(transactionOf).sort((a, b) => (a.version < b.version ? -1 : 1));
    expectSameInAnyBatching(translateTransactions([market], transactions));
  });
});
