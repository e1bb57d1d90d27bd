import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { WorkerError } from '@imart/core';

/** A webhook's address that is not to be asked: within one's own network, or none at all. */
export class WebhookAddressError extends WorkerError {
  constructor(problem: string) {
    super(problem, { code: 'WEBHOOK_ADDRESS', disposition: 'stop' });
  }
}

/** Ranges of IPv4 that are not of the public internet. */
const NOT_PUBLIC = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]) {
  const [net = '', bits] = range.split('/');
  NOT_PUBLIC.addSubnet(net, Number(bits));
}

/**
 * The only IPv6 range that is given to the public internet, but for parts of it that lead elsewhere: Teredo and other protocols' own,
 * examples, and 6to4, which holds any IPv4 address. IPv4 addresses within IPv6 (`::ffff:127.0.0.1`, `64:ff9b::7f00:1`) are outside of it.
 */
const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');
const NOT_PUBLIC_V6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  NOT_PUBLIC_V6.addSubnet(net, bits, 'ipv6');
}

/** Whether this IP address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC.check(address);
    case 6:
      return GLOBAL_V6.check(address, 'ipv6') && !NOT_PUBLIC_V6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Finds the addresses of a name: all of them. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** By the system's resolver. */
export const systemResolve: Resolve = (hostname) =>
  new Promise((resolve, reject) =>
    systemLookup(hostname, { all: true }, (error, addresses) =>
      error === null ? resolve(addresses) : reject(error),
    ),
  );

export interface AddressRules {
  readonly resolve: Resolve;
  /** Addresses of one's own network, and plain HTTP, are allowed too: for trying out. */
  readonly allowPrivate: boolean;
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/**
 * The address of a webhook, if it may be asked now.
 * @throws {WebhookAddressError} it is no URL of HTTPS on the public internet, or has no address.
 */
export async function checkWebhookUrl(text: string, rules: AddressRules): Promise<URL> {
  const url = webhookUrl(text, rules);
  const host = hostOf(url);
  if (isIP(host) === 0) await publicAddresses(host, rules);
  return url;
}

/** What can be told without asking for the name's addresses. @throws {WebhookAddressError} */
export function webhookUrl(text: string, { allowPrivate }: AddressRules): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new WebhookAddressError('it is no URL');
  }
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    throw new WebhookAddressError('it must begin with https://');
  if (url.username !== '' || url.password !== '')
    throw new WebhookAddressError('it must not hold a user or a password: what is sent is signed');
  const host = hostOf(url);
  // Such a URL is connected to without looking up a name.
  if (isIP(host) !== 0 && !allowPrivate && !isPublicAddress(host)) throw notPublic(host);
  return url;
}

const notPublic = (host: string): WebhookAddressError =>
  new WebhookAddressError(`${host} is not, or not only, on the public internet`);

async function publicAddresses(
  host: string,
  { resolve, allowPrivate }: AddressRules,
): Promise<readonly LookupAddress[]> {
  let addresses: readonly LookupAddress[];
  try {
    addresses = await resolve(host);
  } catch {
    throw new WebhookAddressError(`${host} has no address`);
  }
  if (addresses.length === 0) throw new WebhookAddressError(`${host} has no address`);
  if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) throw notPublic(host);
  return addresses;
}

/** Looks up names for a connection: what was checked is what is connected to, whatever the name says a moment later. */
export function checkedLookup(rules: AddressRules): LookupFunction {
  return (hostname, options, callback) => {
    publicAddresses(hostname, rules).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}
