import { setTimeout } from 'node:timers/promises';
import { statusOf } from './s3-client.js';

const ATTEMPTS = 5;

/**
 * Reads again when a response breaks off; the client itself repeats requests that fail.
 * @param isFinal tells errors that reading again does not mend
 * @throws the last error of `read`
 */
export async function repeatBroken<T>(
  read: () => Promise<T>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const isBroken = statusOf(error) === null && (error as Error).name !== 'CredentialsProviderError';
      if (!isBroken || isFinal(error) || attempt === ATTEMPTS) throw error;
      await setTimeout(100 * 2 ** attempt);
    }
  }
}
