import { OptionError } from '../errors.js';

/**
 * The URL of an endpoint as one that may be logged and kept.
 * @throws OptionError where it is none, or holds a secret
 */
export function checkEndpointUrl(where: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new OptionError(where, `endpointUrl '${withoutSecrets(text)}', expected one that begins with http(s)://`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new OptionError(
      where,
      `endpointUrl '${url.origin}${url.pathname}' has a password or a query, which logs would show; put the token into RELFLOW_TOKEN, HF_TOKEN or a file`,
    );
  }
  return url;
}

const withoutSecrets = (text: string) => text.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*/s, '');
