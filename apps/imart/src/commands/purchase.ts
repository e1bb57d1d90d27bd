import { randomUUID } from 'node:crypto';
import {
  createPurchaseService,
  createPurchaseWorker,
  PURCHASE_DEADLINE_MS_DEFAULT,
  PurchaseInvalidError,
  purchaseErrorText,
  type Purchase,
  type PurchaseService,
} from '@imart/purchase';
import { silentLogger } from '@imart/runtime';
import type { DatabasePool } from '@imart/storage';
import { asJson } from '../asJson';
import type { Command } from '../command';
import { withDatabase } from '../openDatabase';
import { openSales } from '../openSales';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

const help = `imart purchase PRODUCT QUANTITY [--wallet W] [--key K] [--deadline SECONDS] [--json]

Buys from a sale, and waits for the result: every step of the flow is done here, beside the workers that run, or without any. What it
passes is told on stderr.

  --wallet W          who gets it; needed where a sale bounds what one wallet may have
  --key K             asking again with it gives the same purchase: safe to repeat when this was interrupted
  --deadline SECONDS  how long it may take (30); then it fails, and what it held is given back
  --json              the purchase as JSON on stdout

Exit code 0: confirmed. 3: rejected: it cannot be had. 4: failed: not in time. 1: something else failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

const EXIT = { confirmed: 0, rejected: 3, failed: 4, pending: 1 } as const;

interface Arguments {
  readonly productId: string;
  readonly quantity: number;
  readonly wallet: string | null;
  readonly key: string;
  readonly deadlineMs: number;
  readonly json: boolean;
}

export const purchaseCommand: Command = {
  summary: 'buys from a sale, and waits for the result',
  help,
  async run(args) {
    const read = readArguments(args);
    return withDatabase((pool) => run(pool, read));
  },
};

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = readOptions(
    args,
    {
      wallet: { type: 'string' },
      key: { type: 'string' },
      deadline: { type: 'string' },
      json: { type: 'boolean' },
    },
    true,
  );
  const [productId, quantity, ...more] = positionals;
  if (productId === undefined || quantity === undefined) throw new UsageError('say what, and how many');
  if (more.length > 0) throw new UsageError(`'${more.join(' ')}' is too much`);
  if (!/^[1-9]\d{0,9}$/.test(quantity)) {
    throw new UsageError(`the quantity must be a whole number of at least 1, got '${quantity}'`);
  }
  const seconds = Number(values.deadline ?? PURCHASE_DEADLINE_MS_DEFAULT / 1_000);
  if (!(seconds > 0)) throw new UsageError(`--deadline must be above 0, got '${values.deadline}'`);
  return {
    productId,
    quantity: Number(quantity),
    wallet: values.wallet ?? null,
    key: values.key ?? randomUUID(),
    deadlineMs: Math.ceil(seconds * 1_000),
    json: values.json === true,
  };
}

async function run(pool: DatabasePool, args: Arguments): Promise<number> {
  const { store, sales, snapshots } = await openSales(pool);
  const worker = createPurchaseWorker({
    store,
    sales,
    snapshots,
    holder: `imart-purchase:${process.pid}`,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.now(),
  });
  const service = createPurchaseService({
    store,
    onReceived: () => worker.services.wake('purchase.received'),
  });
  const over = new AbortController();
  const working = worker.run(over.signal);
  working.catch(() => over.abort());
  try {
    const purchase = await untilEnded(service, args, over.signal);
    if (purchase === null) {
      await working;
      return EXIT.pending;
    }
    tell(purchase, args.json);
    return EXIT[purchase.status];
  } catch (error) {
    if (error instanceof PurchaseInvalidError) throw new UsageError(error.message);
    throw error;
  } finally {
    over.abort();
    await working.catch(() => undefined);
  }
}

/** @returns `null`: the signal has aborted before. */
async function untilEnded(
  service: PurchaseService,
  { productId, quantity, wallet, key, deadlineMs }: Arguments,
  signal: AbortSignal,
): Promise<Purchase | null> {
  const { id, repeated } = await service.purchase({
    productId,
    quantity,
    wallet,
    idempotencyKey: key,
    deadlineMs,
  });
  process.stderr.write(`purchase ${id}${repeated ? ', asked for before' : ''}\n`);
  let told = 0;
  for await (const found of service.watch(id, signal)) {
    if (found.kind !== 'found')
      throw new Error(`purchase ${id} is ${found.kind}: its result is not told any more`);
    const { steps } = found.purchase;
    for (; told < steps.length; told++) process.stderr.write(`  ${steps[told]?.at}  ${steps[told]?.step}\n`);
    if (found.purchase.status !== 'pending') return found.purchase;
  }
  return null;
}

function tell(purchase: Purchase, json: boolean): void {
  if (json) {
    process.stdout.write(asJson(purchase));
    return;
  }
  const { status, orderId, total, currency, error } = purchase;
  process.stdout.write(
    error === null
      ? `${status}: order ${orderId}, ${total} ${currency}\n`
      : `${status}: ${purchaseErrorText(error)} (${error})\n`,
  );
}
