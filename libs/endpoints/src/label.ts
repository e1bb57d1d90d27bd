/**
 * What logs and errors call an endpoint: its place in the list and its host. Paths, queries and credentials hold keys.
 * @example endpointLabel(new URL('https://rpc.example/v2/key'), 1) // rpc#1 (rpc.example)
 */
export function endpointLabel(url: URL, place: number, kind = 'rpc'): string {
  return `${kind}#${place} (${url.host})`;
}
