import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Event, SeqNoCodec, Subject, SubjectMessage } from '@imart/core';
import { createMessageStore, type MessageStore } from './messageStore';

/** How a subject of the suite reads. */
export interface ReadingOptions {
  /** The last position to read. */
  readonly endPosition?: bigint;
  /** About how much it asks for at once: a page, a range, a message. */
  readonly batch?: number;
  /** Events that may be handed on and not executed. */
  readonly eventsAheadMax?: number;
}

/** A chain on which something happens now and then, and nodes that serve it. */
export interface ServedChain {
  /** Its last position. */
  head(): bigint;
  /** `position/index` of every event up to the head, in order: what a plain look at the chain finds. */
  places(): readonly string[];
  /** Adds positions, with events on some of them. */
  grow(positions: number): void;
  /** A new subject over its nodes, from nothing that another one knows. */
  subject(options?: ReadingOptions): Subject;
  /** The nodes say that they are only so far; `null`: as far as the chain. */
  lag(head: bigint | null): void;
  /** A subject of this chain whose nodes serve a chain of another id. */
  ofAnotherId(): Promise<Subject>;
  /** A subject of a chain of this id that begins otherwise: a network that was started anew. */
  startedAnew(): Promise<Subject>;
  close(): Promise<void>;
}

/** A kind of subject whose contract is to be looked at. */
export interface SubjectFeatures {
  readonly seqNos: SeqNoCodec;
  /** A chain of so many positions, the first one included, with events on at least every tenth. */
  open(positions: number): Promise<ServedChain>;
  /** How many random readings the properties try. */
  readonly runs: number;
  /** `false`: it is no real one, has no network that it could be mistaken about, and is never too far ahead. @defaultValue true */
  readonly isReal?: boolean;
}

const POSITIONS = 130;
/** A subject is told to rest when it has given nothing for so many turns of the event loop, each a few milliseconds. */
const REST_TURNS = 40;
const placesOf = (events: readonly Event[]): string[] =>
  events.map(({ source }) => `${source.position}/${source.index}`);

/** What every subject owes to the pipeline, whichever chain it reads and from whom. */
export function describeSubject(name: string, features: SubjectFeatures): void {
  describe(`a subject: ${name}`, () => {
    const seed = Date.now() % 2 ** 31;
    let ending: AbortController;
    let chain: ServedChain | undefined;
    beforeEach(() => {
      ending = new AbortController();
    });
    afterEach(async () => {
      ending.abort(new Error('the test is over'));
      await chain?.close();
      chain = undefined;
    });
    const open = async (positions = POSITIONS): Promise<ServedChain> =>
      (chain = await features.open(positions));
    const store = (from = 0n): MessageStore => createMessageStore(features.seqNos, from);

    /** Reads from where the store is; each message is executed at once. */
    async function read(
      subject: Subject,
      into: MessageStore,
      onMessage: (message: SubjectMessage) => boolean | void = () => undefined,
    ): Promise<void> {
      for await (const message of subject.messages(into.resumePoint(), ending.signal)) {
        into.take(message);
        if (message.kind === 'append') subject.executed(message.toSeqNo);
        if (onMessage(message) === true) return;
      }
    }
    const readTo = async (
      end: bigint,
      into = store(),
      options: ReadingOptions = {},
    ): Promise<MessageStore> => {
      await read((chain as ServedChain).subject({ ...options, endPosition: end }), into);
      return into;
    };

    it('gives every event at its place, in order, in ranges that follow each other, and then ends', async () => {
      const { head, places } = await open();
      const kinds: string[] = [];
      const whole = store();
      await read((chain as ServedChain).subject({ endPosition: head() }), whole, ({ kind }) => {
        kinds.push(kind);
      });
      expect(whole.next).toBe(head() + 1n);
      expect(placesOf(whole.events)).toEqual(places());
      expect(whole.events.length).toBeGreaterThan(POSITIONS / 10);
      expect(kinds.at(-1)).toBe('end');
      expect(kinds.filter((kind) => kind === 'end')).toHaveLength(1);
      for (const { subjectId } of whole.events) expect(subjectId).toBe((chain as ServedChain).subject().id);
    });

    it('tells what is final, never of more than was read, and never less than before', async () => {
      const { head } = await open();
      const { finalized } = await readTo(head());
      expect(finalized).not.toBeNull();
      expect(finalized as bigint).toBeLessThanOrEqual(head());
    });

    it('gives the same when it is read again', async () => {
      const { head } = await open();
      expect((await readTo(head())).events).toEqual((await readTo(head())).events);
    });

    it(`gives the same in any batches, from any position, over restarts after any message (Q1, Q9, Q22, seed ${seed})`, async () => {
      const { head, subject } = await open();
      const { events } = await readTo(head());
      const property = fc.asyncProperty(
        fc.integer({ min: 0, max: POSITIONS / 2 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
        async (start, batch, restarts) => {
          const into = store(BigInt(start));
          const options = { batch, endPosition: head() };
          for (let left of restarts) {
            if (into.next <= head()) await read(subject(options), into, () => --left === 0);
          }
          await readTo(head(), into, { batch });
          expect(into.events).toEqual(events.filter(({ source }) => source.position >= BigInt(start)));
        },
      );
      await fc.assert(property, { seed, numRuns: features.runs });
    });

    it('ends at once when it was at its end already', async () => {
      const { head } = await open();
      const whole = await readTo(head());
      const messages: SubjectMessage[] = [];
      await read((chain as ServedChain).subject({ endPosition: head() }), whole, (message) => {
        messages.push(message);
      });
      expect(messages.filter(({ kind }) => kind !== 'heartbeat' && kind !== 'finalize')).toEqual([
        { kind: 'end', atPosition: head() },
      ]);
    });

    it('ends without an error when it is told to, while it gives messages and while it has none (Q20)', async () => {
      const { head, subject } = await open();
      for (const enough of [
        ({ kind }: SubjectMessage) => kind === 'append',
        (_: SubjectMessage, { next }: MessageStore) => next > head(),
      ]) {
        ending = new AbortController();
        const into = store();
        await read(subject(), into, (message) => {
          // Told between two messages, it is asked for the next one after that.
          if (enough(message, into)) ending.abort(new Error('enough'));
        });
      }
      const waiting = subject().messages(store().resumePoint(), ending.signal)[Symbol.asyncIterator]();
      expect(await waiting.next()).toEqual({ done: true, value: undefined });
    });

    it('follows the head, with signs of life while nothing happens', async () => {
      const { head, places, grow, subject } = await open(20);
      const into = store();
      let quiet = 0;
      await read(subject(), into, ({ kind }) => {
        if (kind !== 'heartbeat' || into.next <= head()) return false;
        if (++quiet === 10) return true;
        if (quiet % 2 === 0) grow(quiet);
        return false;
      });
      expect(placesOf(into.events)).toEqual(places());
      expect(into.next).toBe(head() + 1n);
      expect(into.heads.length).toBeGreaterThanOrEqual(10);
    });

    it('waits for nodes that lag, takes nothing back, and leaves nothing out (P4, P18)', async () => {
      const { head, places, grow, subject, lag } = await open(30);
      const into = store();
      let beats = 0;
      await read(subject(), into, ({ kind }) => {
        if (kind !== 'heartbeat') return false;
        beats++;
        if (beats === 2) lag(12n);
        if (beats === 5) {
          grow(9);
          lag(null);
        }
        return beats > 5 && into.next > head();
      });
      expect(into.invalidations).toEqual([]);
      expect(placesOf(into.events)).toEqual(places());
    });

    if (features.isReal === false) return;

    it('reads no further ahead than what is executed allows (P19, Q17)', async () => {
      const { head, places, subject } = await open(400);
      const reading = subject({ endPosition: head(), batch: 10, eventsAheadMax: 20 });
      const into = store();
      const items = reading.messages(into.resumePoint(), ending.signal)[Symbol.asyncIterator]();
      let coming = items.next();
      /** Takes what comes, until nothing comes any more. @returns whether it has ended. */
      const takeAll = async (): Promise<boolean> => {
        for (;;) {
          const item = await Promise.race([coming, resting()]);
          if (item === 'resting') return false;
          if (item.done === true) return true;
          into.take(item.value);
          coming = items.next();
        }
      };
      expect(await takeAll()).toBe(false);
      const rested = into.events.length;
      expect(rested).toBeGreaterThanOrEqual(20);
      expect(rested).toBeLessThan(places().length);
      do reading.executed(features.seqNos.last(into.next - 1n));
      while (!(await takeAll()));
      expect(placesOf(into.events)).toEqual(places());
    });

    it('says who it is, the same each time; a network that was started anew is somebody else', async () => {
      const { subject, startedAnew } = await open(20);
      const identity = await subject().identify(ending.signal);
      expect(identity.subjectId).toBe(subject().id);
      expect(await subject().identify(ending.signal)).toEqual(identity);
      const other = await (await startedAnew()).identify(ending.signal);
      expect(other.subjectId).toBe(identity.subjectId);
      expect(other.genesisHash).not.toBe(identity.genesisHash);
    });

    it('refuses nodes of another chain (P14)', async () => {
      const { ofAnotherId } = await open(20);
      const other = await ofAnotherId();
      await expect(other.identify(ending.signal)).rejects.toMatchObject({
        code: 'WRONG_CHAIN',
        disposition: 'stop',
      });
    });
  });
}

async function resting(): Promise<'resting'> {
  for (let turn = 0; turn < REST_TURNS; turn++) await new Promise((done) => setTimeout(done, 4));
  return 'resting';
}
