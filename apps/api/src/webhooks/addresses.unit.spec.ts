import { checkedLookup, checkWebhookUrl, isPublicAddress, type AddressRules } from './addresses';

const rules = (addresses: readonly string[], allowPrivate = false): AddressRules => ({
  resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  allowPrivate,
});

describe('the address of a webhook', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    'fd00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'no address',
  ])('is not public: %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    'is public: %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ['http://example.org/', 'https://'],
    ['ftp://example.org/', 'https://'],
    ['https://user:word@example.org/', 'user or a password'],
    ['nowhere', 'no URL'],
    ['https://127.0.0.1/', 'not, or not only, on the public internet'],
    ['https://2130706433/', '127.0.0.1 is not'],
    ['https://0x7f.1/', '127.0.0.1 is not'],
    ['https://[::1]/', '::1 is not'],
    ['https://[::ffff:127.0.0.1]/', 'is not'],
  ])('is refused without asking for a name: %s', async (url, says) => {
    await expect(checkWebhookUrl(url, rules(['1.1.1.1']))).rejects.toThrow(says);
  });

  it('is refused when one of the addresses of its name is not public, or it has none', async () => {
    await expect(checkWebhookUrl('https://a.example/', rules(['1.1.1.1', '10.0.0.1']))).rejects.toThrow(
      'a.example',
    );
    await expect(
      checkWebhookUrl('https://a.example/', rules(['1.1.1.1', '::ffff:10.0.0.1'])),
    ).rejects.toThrow();
    await expect(checkWebhookUrl('https://a.example/', rules([]))).rejects.toThrow('has no address');
    await expect(checkWebhookUrl('https://a.example/x', rules(['1.1.1.1']))).resolves.toMatchObject({
      pathname: '/x',
    });
    await expect(checkWebhookUrl('http://127.0.0.1:1/', rules([], true))).resolves.toMatchObject({
      port: '1',
    });
  });

  it('is checked again by the connection itself, in both forms in which it asks', async () => {
    const asked = (addresses: readonly string[], all: boolean): Promise<unknown> =>
      new Promise((resolve) =>
        checkedLookup(rules(addresses))('a.example', { all }, (error, found) => resolve(error ?? found)),
      );
    expect(await asked(['1.1.1.1', '2.2.2.2'], false)).toBe('1.1.1.1');
    expect(await asked(['1.1.1.1'], true)).toEqual([{ address: '1.1.1.1', family: 4 }]);
    expect(await asked(['1.1.1.1', '127.0.0.1'], true)).toBeInstanceOf(Error);
  });
});
