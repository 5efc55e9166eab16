import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.js';

const MAX_TOKEN_BYTES = 16 * 1024;

/**
 * The token for an endpoint: of the file, where one is named; else `RELFLOW_TOKEN`; else `HF_TOKEN`. The last is one
 * that people have in their environment for other ends, so it goes to this machine and over HTTPS only.
 *
 * @param url where it will be sent; absent for Hugging Face's own router
 * @throws InputError where the file can't be read or holds no token
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
    throw new InputError(file, `the token can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Whatever is wrong with a token, the message does not say what it is. */
function checkToken(from: string, text: string): string {
  const token = text.trim();
  if (token === '' || token.length > MAX_TOKEN_BYTES || !/^[\x21-\x7e]+$/.test(token)) {
    throw new InputError(from, 'holds no token: expected one line of letters, digits and signs');
  }
  return token;
}

const isLoopback = ({ hostname }: URL) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);

/** Takes a secret out of whatever a server says. */
export function redactor(secret: string | undefined): (text: string) => string {
  return secret === undefined || secret.length < 4 ? (text) => text : (text) => text.replaceAll(secret, '[token]');
}
