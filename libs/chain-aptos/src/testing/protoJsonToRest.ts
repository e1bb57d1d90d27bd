/**
 * A transaction in protobuf's JSON form as a fullnode's REST API writes the same one. What the worker does not look at (payloads,
 * signatures, gas) is left out.
 */
type Json = Record<string, unknown>;

const KINDS: Readonly<Record<string, string>> = {
  TRANSACTION_TYPE_GENESIS: 'genesis_transaction',
  TRANSACTION_TYPE_BLOCK_METADATA: 'block_metadata_transaction',
  TRANSACTION_TYPE_STATE_CHECKPOINT: 'state_checkpoint_transaction',
  TRANSACTION_TYPE_USER: 'user_transaction',
  TRANSACTION_TYPE_VALIDATOR: 'validator_transaction',
  TRANSACTION_TYPE_BLOCK_EPILOGUE: 'block_epilogue_transaction',
};

const hex = (base64: unknown): string =>
  typeof base64 === 'string' ? `0x${Buffer.from(base64, 'base64').toString('hex')}` : '';
const parsed = (text: unknown): unknown => JSON.parse(text as string) as unknown;
/** A fullnode leaves out leading zeros where protobuf has them, and the other way round. */
const shortened = (address: unknown): string => `0x${BigInt(address as string).toString(16)}`;

function toRestChange(change: Json): Json | null {
  if (change['writeResource'] !== undefined) {
    const { address, typeStr, data } = change['writeResource'] as Json;
    return {
      type: 'write_resource',
      address,
      state_key_hash: '',
      data: { type: typeStr, data: parsed(data) },
    };
  }
  if (change['deleteResource'] !== undefined) {
    const { address, typeStr } = change['deleteResource'] as Json;
    return { type: 'delete_resource', address, state_key_hash: '', resource: typeStr };
  }
  if (change['writeTableItem'] !== undefined) {
    const { handle, key, data } = change['writeTableItem'] as Json;
    const item = data as Json | undefined;
    return {
      type: 'write_table_item',
      state_key_hash: '',
      handle,
      key,
      value: '0x',
      data:
        item === undefined
          ? null
          : {
              key: parsed(item['key']),
              key_type: item['keyType'],
              value: parsed(item['value']),
              value_type: item['valueType'],
            },
    };
  }
  if (change['deleteTableItem'] !== undefined) {
    const { handle, key, data } = change['deleteTableItem'] as Json;
    const item = data as Json | undefined;
    return {
      type: 'delete_table_item',
      state_key_hash: '',
      handle,
      key,
      data: item === undefined ? null : { key: parsed(item['key']), key_type: item['keyType'] },
    };
  }
  return null;
}

/** @param json one `aptos.transaction.v1.Transaction` in protobuf's JSON form. */
export function protoJsonToRest(json: unknown): Json {
  const transaction = json as Json;
  const info = transaction['info'] as Json;
  const payload = (transaction['user'] ??
    transaction['blockMetadata'] ??
    transaction['genesis'] ??
    transaction['validator'] ??
    {}) as Json;
  const { seconds = '0', nanos = 0 } = (transaction['timestamp'] ?? {}) as Json;
  const type = KINDS[transaction['type'] as string] ?? 'unknown_transaction';
  const request = (payload['request'] ?? {}) as Json;
  const hasEvents = ['user', 'blockMetadata', 'genesis', 'validator'].some((kind) => kind in transaction);
  return {
    version: (transaction['version'] as string | undefined) ?? '0',
    hash: hex(info['hash']),
    state_change_hash: hex(info['stateChangeHash']),
    event_root_hash: hex(info['eventRootHash']),
    state_checkpoint_hash: null,
    gas_used: (info['gasUsed'] as string | undefined) ?? '0',
    success: info['success'] === true,
    vm_status: info['vmStatus'],
    accumulator_root_hash: hex(info['accumulatorRootHash']),
    changes: ((info['changes'] ?? []) as Json[]).map(toRestChange).filter((change) => change !== null),
    ...(request['sender'] === undefined ? {} : { sender: shortened(request['sender']) }),
    ...(hasEvents
      ? {
          events: ((payload['events'] ?? []) as Json[]).map((event) => {
            const key = (event['key'] ?? {}) as Json;
            return {
              guid: {
                creation_number: (key['creationNumber'] as string | undefined) ?? '0',
                account_address: shortened(key['accountAddress'] ?? '0x0'),
              },
              sequence_number: (event['sequenceNumber'] as string | undefined) ?? '0',
              type: event['typeStr'],
              data: parsed(event['data']),
            };
          }),
        }
      : {}),
    ...(type === 'genesis_transaction'
      ? {}
      : { timestamp: String(BigInt(seconds as string) * 1_000_000n + BigInt(nanos as number) / 1_000n) }),
    type,
  };
}
