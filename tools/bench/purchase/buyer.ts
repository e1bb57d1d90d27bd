import { Agent, request } from 'node:http';

/** A purchase that was asked for: of what, and when it was due, by this process's clock. */
export interface AskedAt {
  readonly product: string;
  readonly dueMs: number;
}

/** Asks the API for one piece of each product in turn, over connections that stay open. */
export interface Buyer {
  readonly products: readonly string[];
  /** All that were accepted; by id. */
  readonly all: ReadonlyMap<string, AskedAt>;
  /** @returns those that are accepted from now on */
  begin(): ReadonlyMap<string, AskedAt>;
  /** @throws unless it is accepted. */
  buy(dueMs: number): Promise<void>;
}

export function createBuyer(origin: string, products: readonly string[]): Buyer {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const all = new Map<string, AskedAt>();
  let current = new Map<string, AskedAt>();
  let next = 0;

  const post = (body: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const asking = request(
        `${origin}/v1/purchases`,
        {
          agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (text += chunk));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
          answer.on('error', reject);
        },
      );
      asking.on('error', reject);
      asking.end(body);
    });

  return {
    products,
    all,
    begin: () => (current = new Map()),
    async buy(dueMs) {
      const product = products[next++ % products.length] as string;
      const mine = current;
      const { status, text } = await post(JSON.stringify({ productId: product, quantity: 1 }));
      if (status !== 202) throw new Error(`a purchase was answered with ${status}: ${text}`);
      const { id } = JSON.parse(text) as { id: string };
      mine.set(id, { product, dueMs });
      all.set(id, { product, dueMs });
    },
  };
}
