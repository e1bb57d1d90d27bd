import { EventFragment, Interface } from 'ethers';
import * as fc from 'fast-check';
import { anyEvent, damaged, logOf, valueOf, encode } from './arbitraries.spec';
import { EventDecodeError } from './errors';
import { compileEventDecoder, type EventDecoder } from './eventDecoder';
import { keyOf } from './generate';
import { KNOWN_EVENTS } from './knownEvents.spec';
import { decodeByEthers, type EncodedLog } from './reference.spec';

/** Where ours refuses what ethers takes: ethers masks unused bits, and lets data be read 1024 times over. */
const STRICTER =
  /bits of a uint\d+ are set|sign of an int\d+|neither 0 nor 1|is longer than \d+ bytes|overlap more than|it has \d+ topics/;

const seed = Date.now() % 0x7fffffff;
const known = KNOWN_EVENTS.map(([protocol, signature]) => ({
  label: `${protocol} ${signature.slice(0, signature.indexOf('('))}`,
  fragment: EventFragment.from(`event ${signature}`),
  decoder: compileEventDecoder(signature),
}));
let accepted = 0;
let refusedByBoth = 0;
let refusedByOurs = 0;

function expectAgreement(fragment: EventFragment, decoder: EventDecoder, log: EncodedLog): void {
  let ours: Record<string, unknown> | undefined;
  let refusal: unknown;
  try {
    ours = decoder.decode(log.topics, log.data);
  } catch (error) {
    refusal = error;
  }
  if (ours !== undefined) {
    accepted++;
    expect(ours).toStrictEqual(decodeByEthers(fragment, log));
    return;
  }
  expect(refusal).toBeInstanceOf(EventDecodeError);
  let theirs: unknown;
  try {
    theirs = decodeByEthers(fragment, log);
  } catch {
    refusedByBoth++;
    return;
  }
  refusedByOurs++;
  expect({ theirs, reason: (refusal as EventDecodeError).reason }).toEqual({
    theirs,
    reason: expect.stringMatching(STRICTER) as unknown,
  });
}

describe(`compiled decoders and ethers' (seed ${seed})`, () => {
  test.each(
    KNOWN_EVENTS.flatMap(([protocol, signature, selector]) =>
      selector ? [{ protocol, signature, selector }] : [],
    ),
  )('the topic0 of $protocol $signature is as recorded', ({ signature, selector }) => {
    expect(compileEventDecoder(signature).topic0.slice(0, 10)).toBe(selector);
  });

  test.each(known)('give the same values for $label', ({ fragment, decoder }) => {
    const values = fc.tuple(...fragment.inputs.map(valueOf));
    fc.assert(
      fc.property(values, (input) => {
        const log = encode(fragment, input);
        const ours = decoder.decode(log.topics, log.data);
        expect(ours).toStrictEqual(decodeByEthers(fragment, log));
        // What ours read encodes to the same log again; not so an indexed text's hash or a string with a NUL in it.
        if (fragment.inputs.some((p) => p.format('sighash').includes('string'))) return;
        expect(
          encode(
            fragment,
            fragment.inputs.map((p, i) => ours[keyOf(p, i)]),
          ),
        ).toEqual(log);
      }),
      { seed, numRuns: 25 },
    );
  });

  it('give the same values for random events of every type', () => {
    fc.assert(
      fc.property(
        anyEvent.chain((fragment) => fc.tuple(fc.constant(fragment), logOf(fragment))),
        ([fragment, log]) => {
          const ours = compileEventDecoder(fragment).decode(log.topics, log.data);
          expect(ours).toStrictEqual(decodeByEthers(fragment, log));
        },
      ),
      { seed, numRuns: 1500 },
    );
  });

  it('give the same strings as ethers does itself, when they are text', () => {
    const fragment = EventFragment.from('event Named(string name, string[] tags)');
    const decoder = compileEventDecoder<{ name: string; tags: string[] }>(fragment);
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 5 }), (name, tags) => {
        const log = encode(fragment, [name, tags]);
        const result = new Interface([fragment]).decodeEventLog(fragment, log.data, log.topics);
        const changed: [] = [];
        expect(decoder.decode(log.topics, log.data, changed)).toEqual({
          name: result[0] as string,
          tags: [...(result[1] as string[])],
        });
        expect(changed).toEqual([]);
      }),
      { seed, numRuns: 300 },
    );
  });

  test.each(known)('agree on damaged logs of $label', ({ fragment, decoder }) => {
    const logs = logOf(fragment).chain(damaged);
    fc.assert(
      fc.property(logs, (log) => expectAgreement(fragment, decoder, log)),
      { seed, numRuns: 60 },
    );
  });

  it('agree on damaged logs of random events', () => {
    const cases = anyEvent.chain((fragment) =>
      fc.tuple(fc.constant(fragment), logOf(fragment).chain(damaged)),
    );
    fc.assert(
      fc.property(cases, ([fragment, log]) => expectAgreement(fragment, compileEventDecoder(fragment), log)),
      { seed, numRuns: 2000 },
    );
  });

  it('were compared on logs of all three fates', () => {
    console.info(
      `damaged logs: ${accepted} accepted, ${refusedByBoth} refused by both, ${refusedByOurs} by ours alone`,
    );
    expect(Math.min(accepted, refusedByBoth, refusedByOurs)).toBeGreaterThan(100);
  });
});
