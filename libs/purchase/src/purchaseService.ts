import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { PurchaseConflictError, PurchaseInvalidError, PurchasesBusyError } from './errors';
import type { NewPurchase, PurchaseStore, SessionCache } from './ports';
import type { Purchase, PurchaseId } from './purchase';
import { SUPPLY_MAX } from './sale/sale';

/** What somebody asks for; checked here. */
export interface PurchaseRequest {
  readonly productId: string;
  readonly quantity: number;
  /** Who gets it. Needed where a sale bounds what one wallet may have. @defaultValue none */
  readonly wallet?: string | null;
  /** Asking again with it gives the same purchase. @defaultValue every request is a new one */
  readonly idempotencyKey?: string;
  /** @defaultValue the service's */
  readonly deadlineMs?: number;
}

/** How a purchase is at the moment. */
export type PurchaseFound =
  | { readonly kind: 'found'; readonly purchase: Purchase }
  /** It came to an end so long ago that its result is not told any more. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' };

export interface PurchaseServiceOptions {
  readonly store: PurchaseStore;
  /** @defaultValue none: results are read from the store */
  readonly sessions?: SessionCache;
  /** Told after purchases were taken in: who works on them in this process need not wait for its next look. */
  readonly onReceived?: () => void;
  /** How long a purchase may take. @defaultValue {@link PURCHASE_DEADLINE_MS_DEFAULT} */
  readonly deadlineMs?: number;
  /** Most purchases that wait to be taken in. @defaultValue {@link INTAKE_WAITING_MAX_DEFAULT} */
  readonly waitingMax?: number;
}

/** @defaultValue for `deadlineMs` */
export const PURCHASE_DEADLINE_MS_DEFAULT = 30_000;
/** Longest time that a purchase may be given: a day. */
export const PURCHASE_DEADLINE_MS_MAX = 86_400_000;
/** @defaultValue for `waitingMax` */
export const INTAKE_WAITING_MAX_DEFAULT = 5_000;
/** Most purchases that are taken in by one statement. */
const INTAKE_BATCH_MAX = 500;
/** How often purchases that somebody waits for are looked at. */
const LOOK_MS = 40;
const TEXT_LENGTH_MAX = 256;

/** Takes purchases in, and tells how they are. */
export interface PurchaseService {
  /**
   * Keeps the purchase, and pushes it to the task queue. Durable when it returns; decided later.
   * @throws {PurchaseInvalidError}
   * @throws {PurchaseConflictError}
   * @throws {PurchasesBusyError} `retry`
   * @throws {StorageUnavailableError} `retry`: it may have been kept all the same. With an idempotency key it is safe to ask again.
   */
  purchase(request: PurchaseRequest): Promise<{ readonly id: PurchaseId; readonly repeated: boolean }>;
  find(id: PurchaseId): Promise<PurchaseFound>;
  /**
   * How it is now, and then each change that is noticed, up to its end; all that are watched are looked at together. Ends when the signal
   * aborts.
   */
  watch(id: PurchaseId, signal: AbortSignal): AsyncGenerator<PurchaseFound>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @returns `null` for what cannot be one */
export function purchaseIdOf(text: string): PurchaseId | null {
  return UUID.test(text) ? (text.toLowerCase() as PurchaseId) : null;
}

export function createPurchaseService(options: PurchaseServiceOptions): PurchaseService {
  const { store, sessions, onReceived = () => undefined } = options;
  const { deadlineMs = PURCHASE_DEADLINE_MS_DEFAULT, waitingMax = INTAKE_WAITING_MAX_DEFAULT } = options;
  const take = createIntake(store, waitingMax, onReceived);
  const look = createSharedLook(store);

  const find = async (id: PurchaseId): Promise<PurchaseFound> => {
    const atHand = await sessions?.get(id).catch(() => null);
    if (atHand !== null && atHand !== undefined) return { kind: 'found', purchase: atHand };
    return foundOf((await store.find([id])).get(id));
  };

  return {
    async purchase(request) {
      const asked = checked(request, deadlineMs);
      const before = await take(asked);
      if (before === null) return { id: asked.id, repeated: false };
      const { productId, quantity, wallet } = asked;
      if (before.productId !== productId || before.quantity !== quantity || before.wallet !== wallet) {
        throw new PurchaseConflictError(asked.id, request.idempotencyKey ?? '');
      }
      return { id: asked.id, repeated: true };
    },
    find,
    async *watch(id, signal) {
      let told = '';
      for (let found = await find(id); !signal.aborted; found = await look(id)) {
        const text = JSON.stringify(found);
        if (text !== told) yield found;
        told = text;
        if (found.kind !== 'found' || found.purchase.status !== 'pending') return;
      }
    },
  };
}

function foundOf(purchase: Purchase | undefined): PurchaseFound {
  if (purchase === undefined) return { kind: 'unknown' };
  return purchase.expired ? { kind: 'expired' } : { kind: 'found', purchase };
}

/** @throws {PurchaseInvalidError} with every problem. */
function checked(request: PurchaseRequest, deadlineMs: number): NewPurchase {
  const { productId, quantity, wallet = null, idempotencyKey } = request;
  const problems: { field: string; problem: string }[] = [];
  const text = (field: string, value: string): void => {
    // NUL and half a surrogate pair are nothing that PostgreSQL holds.
    if (value.length === 0 || value.length > TEXT_LENGTH_MAX || /\0|\p{Surrogate}/u.test(value)) {
      problems.push({ field, problem: `must have 1 to ${TEXT_LENGTH_MAX} characters, all of them valid` });
    }
  };
  text('productId', productId);
  if (wallet !== null) text('wallet', wallet);
  if (idempotencyKey !== undefined) text('idempotencyKey', idempotencyKey);
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > SUPPLY_MAX) {
    problems.push({ field: 'quantity', problem: `must be a whole number from 1 to ${SUPPLY_MAX}` });
  }
  const timeMs = request.deadlineMs ?? deadlineMs;
  if (!(timeMs >= 1 && timeMs <= PURCHASE_DEADLINE_MS_MAX)) {
    problems.push({ field: 'deadlineMs', problem: `must be from 1 to ${PURCHASE_DEADLINE_MS_MAX}` });
  }
  if (problems.length > 0) throw new PurchaseInvalidError(problems);
  const id = idempotencyKey === undefined ? randomUUID() : idOfKey(wallet, idempotencyKey);
  return { id: id as PurchaseId, productId, quantity, wallet, deadlineMs: timeMs };
}

/** The same key of the same wallet names the same purchase: a UUID of the kind that is made from a name. */
function idOfKey(wallet: string | null, key: string): string {
  const digits = createHash('sha256')
    .update(JSON.stringify([wallet, key]))
    .digest('hex');
  const variant = ((Number.parseInt(digits[16] as string, 16) & 3) | 8).toString(16);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}

/** Gathers what comes while a statement is on its way: the more come, the more share one commit. */
function createIntake(
  store: PurchaseStore,
  waitingMax: number,
  onReceived: () => void,
): (asked: NewPurchase) => Promise<Purchase | null> {
  interface Waiting {
    readonly asked: NewPurchase;
    readonly resolve: (before: Purchase | null) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = new Map<PurchaseId, Waiting>();
      // Of one id, one at a time: the next one finds it there.
      const later: Waiting[] = [];
      for (const one of waiting) {
        if (batch.size < INTAKE_BATCH_MAX && !batch.has(one.asked.id)) batch.set(one.asked.id, one);
        else later.push(one);
      }
      waiting = later;
      try {
        const before = new Map(
          (await store.receive([...batch.values()].map(({ asked }) => asked))).map((one) => [one.id, one]),
        );
        onReceived();
        for (const { asked, resolve } of batch.values()) resolve(before.get(asked.id) ?? null);
      } catch (error) {
        for (const { reject } of batch.values()) reject(error);
      }
    }
    working = false;
  };

  return (asked) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) {
        reject(new PurchasesBusyError(waiting.length));
        return;
      }
      waiting.push({ asked, resolve, reject });
      if (working) return;
      working = true;
      void work();
    });
}

/** One look for all that are watched in this process. */
function createSharedLook(store: PurchaseStore): (id: PurchaseId) => Promise<PurchaseFound> {
  let wanted = new Set<PurchaseId>();
  let next: Promise<ReadonlyMap<PurchaseId, Purchase>> | null = null;
  return async (id) => {
    wanted.add(id);
    next ??= pause(LOOK_MS).then(() => {
      const ids = [...wanted];
      wanted = new Set();
      next = null;
      return store.find(ids);
    });
    return foundOf((await next).get(id));
  };
}
