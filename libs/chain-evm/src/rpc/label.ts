/** What logs and errors call an endpoint: its place in the list and its host. Paths, queries and credentials hold keys. */
export function endpointLabel(url: URL, place: number): string {
  return `rpc#${place} (${url.host})`;
}
