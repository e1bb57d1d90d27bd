'use strict';
var __importDefault =
  (this && this.__importDefault) ||
  function (mod) {
    return mod && mod.__esModule ? mod : { default: mod };
  };
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeSubject = describeSubject;
const globals_1 = require('@jest/globals');
const fast_check_1 = __importDefault(require('fast-check'));
const messageStore_1 = require('./messageStore');
const POSITIONS = 130;
/** A subject is told to rest when it has given nothing for so many turns of the event loop, each a few milliseconds. */
const REST_TURNS = 40;
const placesOf = (events) => events.map(({ source }) => `${source.position}/${source.index}`);
/** What every subject owes to the pipeline, whichever chain it reads and from whom. */
function describeSubject(name, features) {
  (0, globals_1.describe)(`a subject: ${name}`, () => {
    const seed = Date.now() % 2 ** 31;
    let ending;
    let chain;
    (0, globals_1.beforeEach)(() => {
      ending = new AbortController();
    });
    (0, globals_1.afterEach)(async () => {
      ending.abort(new Error('the test is over'));
      await chain?.close();
      chain = undefined;
    });
    const open = async (positions = POSITIONS) => (chain = await features.open(positions));
    const store = (from = 0n) => (0, messageStore_1.createMessageStore)(features.seqNos, from);
    /** Reads from where the store is; each message is executed at once. */
    async function read(subject, into, onMessage = () => undefined) {
      for await (const message of subject.messages(into.resumePoint(), ending.signal)) {
        into.take(message);
        if (message.kind === 'append') subject.executed(message.toSeqNo);
        if (onMessage(message) === true) return;
      }
    }
    const readTo = async (end, into = store(), options = {}) => {
      await read(chain.subject({ ...options, endPosition: end }), into);
      return into;
    };
    (0, globals_1.it)(
      'gives every event at its place, in order, in ranges that follow each other, and then ends',
      async () => {
        const { head, places } = await open();
        const kinds = [];
        const whole = store();
        await read(chain.subject({ endPosition: head() }), whole, ({ kind }) => {
          kinds.push(kind);
        });
        (0, globals_1.expect)(whole.next).toBe(head() + 1n);
        (0, globals_1.expect)(placesOf(whole.events)).toEqual(places());
        (0, globals_1.expect)(whole.events.length).toBeGreaterThan(POSITIONS / 10);
        (0, globals_1.expect)(kinds.at(-1)).toBe('end');
        (0, globals_1.expect)(kinds.filter((kind) => kind === 'end')).toHaveLength(1);
        for (const { subjectId } of whole.events) (0, globals_1.expect)(subjectId).toBe(chain.subject().id);
      },
    );
    (0, globals_1.it)(
      'tells what is final, never of more than was read, and never less than before',
      async () => {
        const { head } = await open();
        const { finalized } = await readTo(head());
        (0, globals_1.expect)(finalized).not.toBeNull();
        (0, globals_1.expect)(finalized).toBeLessThanOrEqual(head());
      },
    );
    (0, globals_1.it)('gives the same when it is read again', async () => {
      const { head } = await open();
      (0, globals_1.expect)((await readTo(head())).events).toEqual((await readTo(head())).events);
    });
    (0, globals_1.it)(
      `gives the same in any batches, from any position, over restarts after any message (Q1, Q9, Q22, seed ${seed})`,
      async () => {
        const { head, subject } = await open();
        const { events } = await readTo(head());
        const property = fast_check_1.default.asyncProperty(
          fast_check_1.default.integer({ min: 0, max: POSITIONS / 2 }),
          fast_check_1.default.integer({ min: 1, max: 60 }),
          fast_check_1.default.array(fast_check_1.default.integer({ min: 1, max: 8 }), { maxLength: 3 }),
          async (start, batch, restarts) => {
            const into = store(BigInt(start));
            const options = { batch, endPosition: head() };
            for (let left of restarts) {
              if (into.next <= head()) await read(subject(options), into, () => --left === 0);
            }
            await readTo(head(), into, { batch });
            (0, globals_1.expect)(into.events).toEqual(
              events.filter(({ source }) => source.position >= BigInt(start)),
            );
          },
        );
        await fast_check_1.default.assert(property, { seed, numRuns: features.runs });
      },
    );
    (0, globals_1.it)('ends at once when it was at its end already', async () => {
      const { head } = await open();
      const whole = await readTo(head());
      const messages = [];
      await read(chain.subject({ endPosition: head() }), whole, (message) => {
        messages.push(message);
      });
      (0, globals_1.expect)(
        messages.filter(({ kind }) => kind !== 'heartbeat' && kind !== 'finalize'),
      ).toEqual([{ kind: 'end', atPosition: head() }]);
    });
    (0, globals_1.it)(
      'ends without an error when it is told to, while it gives messages and while it has none (Q20)',
      async () => {
        const { head, subject } = await open();
        for (const enough of [({ kind }) => kind === 'append', (_, { next }) => next > head()]) {
          ending = new AbortController();
          const into = store();
          await read(subject(), into, (message) => {
            // Told between two messages, it is asked for the next one after that.
            if (enough(message, into)) ending.abort(new Error('enough'));
          });
        }
        const waiting = subject().messages(store().resumePoint(), ending.signal)[Symbol.asyncIterator]();
        (0, globals_1.expect)(await waiting.next()).toEqual({ done: true, value: undefined });
      },
    );
    (0, globals_1.it)('follows the head, with signs of life while nothing happens', async () => {
      const { head, places, grow, subject } = await open(20);
      const into = store();
      let quiet = 0;
      await read(subject(), into, ({ kind }) => {
        if (kind !== 'heartbeat' || into.next <= head()) return false;
        if (++quiet === 10) return true;
        if (quiet % 2 === 0) grow(quiet);
        return false;
      });
      (0, globals_1.expect)(placesOf(into.events)).toEqual(places());
      (0, globals_1.expect)(into.next).toBe(head() + 1n);
      (0, globals_1.expect)(into.heads.length).toBeGreaterThanOrEqual(10);
    });
    (0, globals_1.it)(
      'waits for nodes that lag, takes nothing back, and leaves nothing out (P4, P18)',
      async () => {
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
        (0, globals_1.expect)(into.invalidations).toEqual([]);
        (0, globals_1.expect)(placesOf(into.events)).toEqual(places());
      },
    );
    if (features.isReal === false) return;
    (0, globals_1.it)('reads no further ahead than what is executed allows (P19, Q17)', async () => {
      const { head, places, subject } = await open(400);
      const reading = subject({ endPosition: head(), batch: 10, eventsAheadMax: 20 });
      const into = store();
      const items = reading.messages(into.resumePoint(), ending.signal)[Symbol.asyncIterator]();
      let coming = items.next();
      /** Takes what comes, until nothing comes any more. @returns whether it has ended. */
      const takeAll = async () => {
        for (;;) {
          const item = await Promise.race([coming, resting()]);
          if (item === 'resting') return false;
          if (item.done === true) return true;
          into.take(item.value);
          coming = items.next();
        }
      };
      (0, globals_1.expect)(await takeAll()).toBe(false);
      const rested = into.events.length;
      (0, globals_1.expect)(rested).toBeGreaterThanOrEqual(20);
      (0, globals_1.expect)(rested).toBeLessThan(places().length);
      do reading.executed(features.seqNos.last(into.next - 1n));
      while (!(await takeAll()));
      (0, globals_1.expect)(placesOf(into.events)).toEqual(places());
    });
    (0, globals_1.it)(
      'says who it is, the same each time; a network that was started anew is somebody else',
      async () => {
        const { subject, startedAnew } = await open(20);
        const identity = await subject().identify(ending.signal);
        (0, globals_1.expect)(identity.subjectId).toBe(subject().id);
        (0, globals_1.expect)(await subject().identify(ending.signal)).toEqual(identity);
        const other = await (await startedAnew()).identify(ending.signal);
        (0, globals_1.expect)(other.subjectId).toBe(identity.subjectId);
        (0, globals_1.expect)(other.genesisHash).not.toBe(identity.genesisHash);
      },
    );
    (0, globals_1.it)('refuses nodes of another chain (P14)', async () => {
      const { ofAnotherId } = await open(20);
      const other = await ofAnotherId();
      await (0, globals_1.expect)(other.identify(ending.signal)).rejects.toMatchObject({
        code: 'WRONG_CHAIN',
        disposition: 'stop',
      });
    });
  });
}
async function resting() {
  for (let turn = 0; turn < REST_TURNS; turn++) await new Promise((done) => setTimeout(done, 4));
  return 'resting';
}
