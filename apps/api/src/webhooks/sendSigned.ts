import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { checkedLookup, webhookUrl, type AddressRules } from './addresses';

/** Who takes longer to answer has failed. */
export const ANSWER_MAX_MS = 10_000;

/** What is sent to a webhook, and how it is signed. */
export interface SignedMessage {
  readonly url: string;
  readonly secret: string;
  /** The same whenever this is sent again: for whoever receives it to know it by. */
  readonly eventId: string;
  readonly body: string;
}

/** `v1=` and HMAC-SHA256 of `<timestamp>.<body>` in hex: a receiver refuses what is old or not signed so. */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/**
 * Sends it once. Redirects are not followed; what is answered beside the status is not read.
 * @param nowSeconds for the signature: the receiver compares it with its own clock.
 * @returns `null`: it was taken; else why not, without the URL and without what was answered.
 */
export async function sendSigned(
  { url, secret, eventId, body }: SignedMessage,
  rules: AddressRules,
  nowSeconds: number,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const target = webhookUrl(url, rules);
    const status = await new Promise<number>((resolve, reject) => {
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const sent = send(
        target,
        {
          method: 'POST',
          lookup: checkedLookup(rules),
          signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MAX_MS)]),
          // Connections are not kept: each one is to an address that was just checked.
          agent: false,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'user-agent': 'imart-webhooks/1',
            'imart-event-id': eventId,
            'imart-timestamp': String(nowSeconds),
            'imart-signature': signatureOf(secret, nowSeconds, body),
          },
        },
        (response) => {
          resolve(response.statusCode ?? 0);
          response.destroy();
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
    if (status >= 200 && status < 300) return null;
    return status >= 300 && status < 400
      ? `it answered ${status}: redirects are not followed`
      : `it answered ${status}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Messages of the network may hold the address with all that is in it: their codes do not. */
function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  if (code === 'WEBHOOK_ADDRESS') return String(message);
  if (name === 'TimeoutError' || name === 'AbortError') return `no answer within ${ANSWER_MAX_MS / 1000} s`;
  return typeof code === 'string' ? `it could not be asked: ${code}` : 'it could not be asked';
}
