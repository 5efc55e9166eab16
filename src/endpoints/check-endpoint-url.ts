import { OptionError } from '../errors.js';

/**
 * Parses the URL of an endpoint and checks that it is safe to log and to store.
 * @throws OptionError if it is not an HTTP(S) URL, or if it has a password, a query or a fragment
 */
export function checkEndpointUrl(where: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new OptionError(
      where,
      `endpointUrl '${withoutSecrets(text)}', expected a URL that starts with http:// or https://`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new OptionError(
      where,
      `endpointUrl '${url.origin}${url.pathname}' has a password, a query or a fragment, which logs would show; put the token into RELFLOW_TOKEN, HF_TOKEN or a file`,
    );
  }
  return url;
}

const withoutSecrets = (text: string) => text.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*/s, '');
