import type { PurchaseId } from '@imart/purchase';
import { createPurchaseDatabase, type PurchaseDatabase, type PurchaseParts } from './purchaseDatabase';
import { startTestServer, type TestServer } from './testDatabase';

/** What the specs of one file share: a database that is empty before each, and purchases on it as one process opens them. */
export interface PurchaseKit {
  readonly database: PurchaseDatabase;
  /** A spec may open them otherwise, and put them here. */
  parts: PurchaseParts;
  /** Asks for a purchase. */
  buy(
    productId: string,
    quantity?: number,
    more?: { readonly wallet?: string; readonly idempotencyKey?: string },
  ): Promise<PurchaseId>;
}

/** To be called once, outside of every spec. */
export function usePurchases(): PurchaseKit {
  const kit = {
    async buy(productId: string, quantity = 1, more: object = {}) {
      return (await kit.parts.service.purchase({ productId, quantity, ...more })).id;
    },
  } as PurchaseKit & { database: PurchaseDatabase };
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
    kit.database = await createPurchaseDatabase(server);
  });
  beforeEach(async () => {
    await kit.database.clear();
    kit.parts = await kit.database.open();
  });
  afterAll(async () => {
    await kit.database?.close();
    await server?.stop();
  });
  return kit;
}
