import { EndpointError, RecordError } from '../errors.js';
import type { Image } from '../records/image.js';
import { RequestFailure } from './request-failure.js';

/**
 * Returns the answers to all requests about an image.
 * @param what the answers in the plural, for messages
 * @throws RecordError `no-answer` if some are missing, or the error that ends the run
 */
export function requireAnswers<T>(
  where: string,
  { id }: Image,
  settled: readonly PromiseSettledResult<T>[],
  what: string,
): T[] {
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const [first] = failures;
  if (first === undefined) return settled.map((one) => (one as PromiseFulfilledResult<T>).value);
  const fatal = failures.find((error) => error instanceof EndpointError);
  if (fatal !== undefined || !(first instanceof RequestFailure)) throw fatal ?? first;
  throw new RecordError(
    'no-answer',
    `${where}: image ${id}: ${failures.length} of ${settled.length} ${what} are missing: ${first.message}`,
    { image: id },
  );
}
