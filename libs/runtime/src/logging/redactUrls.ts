/**
 * What may be shown of a URL: `scheme://host:port`, with `/…` behind it when there is more; `undefined` when the text is no
 * URL with a host. Paths are cut because RPC providers put their keys there; those of this machine are kept.
 */
export function labelOfUrl(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return undefined;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = text.slice(0, text.indexOf('://')).toLowerCase();
  if (scheme === 'file') return text;
  // An '@' behind the host: a password with an unescaped '/' was taken apart at the wrong place.
  if (parsed === undefined || parsed.host === '' || parsed.pathname.includes('@')) return `${scheme}://…`;
  const plain =
    parsed.username === '' && parsed.password === '' && parsed.search === '' && parsed.hash === '';
  if (plain && (isLoopback(parsed.hostname) || parsed.pathname.length <= 1)) return text;
  const more = parsed.pathname.length > 1 || !plain ? '/…' : '';
  return `${scheme}://${parsed.host}${more}`;
}

/** The text with every URL in it reduced to what may be shown. */
export function redactUrls(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>\\]+/gi, (match) => {
    const trailing = /[).,;:\]}]+$/.exec(match)?.[0] ?? '';
    const url = match.slice(0, match.length - trailing.length);
    return `${labelOfUrl(url) ?? url}${trailing}`;
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
