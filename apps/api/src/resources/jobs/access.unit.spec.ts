import {
  ADDRESSES_MAX,
  createOperatorAccess,
  FAILURES_MAX,
  FAILURES_WINDOW_MS,
  OperatorAccessError,
  OperatorAccessLimitedError,
  SESSION_MS,
  type OperatorAccess,
} from './access';

const TOKEN = 'a-token-that-nobody-guesses';

let now: number;
let access: OperatorAccess;
beforeEach(() => {
  now = 1_700_000_000_000;
  access = createOperatorAccess(TOKEN, () => now);
});

const shown = (authorization: string | undefined, cookie?: string, address = '10.0.0.1') => ({
  authorization,
  cookie,
  address,
});
/** What stands before the first `;`: what a browser sends back. */
const sent = (cookie: string): string => cookie.split(';')[0] as string;
const failure = (attempt: () => unknown): unknown => {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  return null;
};
const wrongly = (times: number, address?: string): unknown[] =>
  Array.from({ length: times }, (_, i) =>
    failure(() => access.check(shown(`Bearer wrong-${i}`, undefined, address))),
  );

describe('access for operators', () => {
  it.each([undefined, '', 'Bearer', 'Bearer  ', `Basic ${TOKEN}`, TOKEN])(
    'is refused without a token: %p',
    (authorization) => {
      const error = failure(() => access.check(shown(authorization)));
      expect(error).toBeInstanceOf(OperatorAccessError);
      expect(error).toMatchObject({ code: 'OPERATOR_ACCESS', isWrong: false });
    },
  );

  it.each([`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), 'x'])(
    'is refused with another token: %p',
    (token) => {
      const error = failure(() => access.check(shown(`Bearer ${token}`)));
      expect(error).toMatchObject({ code: 'OPERATOR_ACCESS', isWrong: true });
      expect((error as Error).message).not.toContain(token);
    },
  );

  it('is given for the token, and for a session that was opened with it', () => {
    access.check(shown(`Bearer ${TOKEN}`));
    access.check(shown(`bearer   ${TOKEN}`));
    const cookie = access.logIn(TOKEN, '10.0.0.1', false);
    access.check(shown(undefined, sent(cookie)));
    access.check(shown(undefined, `theme=dark; ${sent(cookie)}; other=1`));
    expect(cookie).not.toContain(TOKEN);
    expect(cookie).toMatch(/; Path=\/ops; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(access.logIn(TOKEN, '10.0.0.1', true)).toMatch(/; Secure$/);
  });

  it('ends with the session, and with another token', () => {
    const cookie = sent(access.logIn(TOKEN, '10.0.0.1', false));
    now += SESSION_MS - 1;
    access.check(shown(undefined, cookie));
    const other = createOperatorAccess('another-token-altogether', () => now);
    expect(failure(() => other.check(shown(undefined, cookie)))).toBeInstanceOf(OperatorAccessError);
    now += 1;
    expect(failure(() => access.check(shown(undefined, cookie)))).toBeInstanceOf(OperatorAccessError);
    expect(access.logOut()).toMatch(/^imart_ops=; .*Max-Age=0/);
  });

  it('knows a session that was made longer, or signed by somebody else', () => {
    const cookie = sent(access.logIn(TOKEN, '10.0.0.1', false));
    const [, endsAt = '', signature = ''] = /=(\d+)\.(.*)$/.exec(cookie) ?? [];
    const forged = [
      `imart_ops=${Number(endsAt) + 1}.${signature}`,
      `imart_ops=${endsAt}.${signature.slice(0, -4)}AAAA`,
      `imart_ops=${endsAt}.`,
      `imart_ops=${endsAt}`,
      'imart_ops=',
      `xximart_ops=${endsAt}.${signature}`,
    ];
    for (const one of forged) {
      expect([one, failure(() => access.check(shown(undefined, one)))]).toEqual([
        one,
        expect.any(OperatorAccessError),
      ]);
    }
  });

  it(`looks at nothing more from an address after ${FAILURES_MAX} wrong tokens, until a minute is over`, () => {
    expect(wrongly(FAILURES_MAX).every((error) => error instanceof OperatorAccessError)).toBe(true);
    now += FAILURES_WINDOW_MS - 500;
    // Not even the right one: whoever guesses must not learn that it was right.
    const limited = failure(() => access.check(shown(`Bearer ${TOKEN}`)));
    expect(limited).toBeInstanceOf(OperatorAccessLimitedError);
    expect(limited).toMatchObject({ code: 'OPERATOR_ACCESS_LIMITED', retryAfterSeconds: 1 });
    expect(failure(() => access.logIn(TOKEN, '10.0.0.1', false))).toBeInstanceOf(OperatorAccessLimitedError);
    access.check(shown(`Bearer ${TOKEN}`, undefined, '10.0.0.2'));
    now += 500;
    access.check(shown(`Bearer ${TOKEN}`));
    expect(wrongly(FAILURES_MAX).every((error) => error instanceof OperatorAccessError)).toBe(true);
  });

  it('lets a session pass while its address is held up', () => {
    const cookie = sent(access.logIn(TOKEN, '10.0.0.1', false));
    wrongly(FAILURES_MAX);
    access.check(shown(undefined, cookie));
  });

  it('counts attempts to log in and tokens in headers together', () => {
    for (let i = 0; i < FAILURES_MAX; i++) failure(() => access.logIn('wrong', '10.0.0.1', false));
    expect(failure(() => access.check(shown(`Bearer ${TOKEN}`)))).toBeInstanceOf(OperatorAccessLimitedError);
  });

  it('remembers a bounded number of addresses, and forgets the one that failed longest ago', () => {
    wrongly(FAILURES_MAX, 'first');
    for (let i = 0; i < ADDRESSES_MAX - 1; i++) wrongly(1, `address-${i}`);
    expect(failure(() => access.check(shown(`Bearer ${TOKEN}`, undefined, 'first')))).toBeInstanceOf(
      OperatorAccessLimitedError,
    );
    wrongly(1, 'one-more');
    access.check(shown(`Bearer ${TOKEN}`, undefined, 'first'));
  });
});
