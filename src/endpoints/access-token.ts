import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.js';

const MAX_TOKEN_BYTES = 16 * 1024;

/**
 * Returns the access token for an endpoint: from the file, if one is given, else from `RELFLOW_TOKEN`, else from
 * `HF_TOKEN`. `HF_TOKEN` is often set for other purposes, so it is only sent to this machine and over HTTPS.
 *
 * @param url the URL to which the token will be sent; undefined for Hugging Face's router
 * @throws InputError if the file cannot be read or has no valid token
 */
export async function accessToken(file: string | undefined, url: URL | undefined): Promise<string | undefined> {
  if (file !== undefined) return checkToken(file, await readToken(file));
  const own = process.env['RELFLOW_TOKEN'];
  if (own) return checkToken('RELFLOW_TOKEN', own);
  const huggingFace = process.env['HF_TOKEN'];
  if (!huggingFace || (url && url.protocol !== 'https:' && !isLoopback(url))) return undefined;
  return checkToken('HF_TOKEN', huggingFace);
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError(file, `the token cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Checks a token; the error message does not contain it. */
function checkToken(from: string, text: string): string {
  const token = text.trim();
  if (token === '' || token.length > MAX_TOKEN_BYTES || !/^[\x21-\x7e]+$/.test(token)) {
    throw new InputError(from, 'has no valid token, expected one line of printable ASCII characters without spaces');
  }
  return token;
}

const isLoopback = ({ hostname }: URL) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
