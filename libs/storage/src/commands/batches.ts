export interface BatchesOptions<Item, Result> {
  /** Most items that run together. */
  readonly itemsMax: number;
  /** Items that share one of these do not run together: the second waits for the next batch. */
  readonly keysOf: (item: Item) => readonly string[];
  /** Of every item, in its place, what became of it. Whatever this throws, each of them throws. */
  readonly run: (items: readonly Item[]) => Promise<readonly Promise<Result>[]>;
}

/** Lets what is asked for at the same time run together. */
export type Batches<Item, Result> = (item: Item) => Promise<Result>;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One batch at a time: what comes while it runs is the next one. Nobody waits for a timer; whoever comes alone runs alone. A batch is done
 * when it has told of each item; an item may go on by itself, and holds up nobody then.
 */
export function createBatches<Item, Result>({
  itemsMax,
  keysOf,
  run,
}: BatchesOptions<Item, Result>): Batches<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let isRunning = false;

  /** The first that may run together; the others keep their order. */
  const take = (): Waiting<Item, Result>[] => {
    const taken: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const one of waiting) {
      const own = keysOf(one.item);
      const fits = taken.length < itemsMax && !own.some((key) => keys.has(key));
      // One that is left goes before all that share a key with it, too.
      for (const key of own) keys.add(key);
      (fits ? taken : left).push(one);
    }
    waiting = left;
    return taken;
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = take();
      try {
        const results = await run(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, i) => resolve(results[i] as Promise<Result>));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // Those that are answered together ask together: all of the same turn come before the first batch begins.
      setImmediate(() => void work());
    });
}
