import type { S3Client } from '@aws-sdk/client-s3';
import { optionalPackage } from '../optional-package.js';

/** The optional package. */
export type S3Package = typeof import('@aws-sdk/client-s3');

/** The client of this process, and the package that it is of. */
export interface S3 {
  readonly client: S3Client;
  readonly sdk: S3Package;
}

/** Attempts of a request, unless `AWS_MAX_ATTEMPTS` says otherwise. */
const ATTEMPTS = 8;

const clients = new Map<string, Promise<S3>>();

/**
 * Returns a client of the S3-compatible store that the environment and profiles name, as for other programs of AWS:
 * `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`… It repeats failed requests.
 * @throws RelflowError (`missing-package`) when the optional package is not installed
 */
export function s3Client(): Promise<S3> {
  const key = JSON.stringify([s3Endpoint(), process.env['AWS_PROFILE']]);
  let client = clients.get(key);
  if (!client) {
    client = createClient();
    clients.set(key, client);
    client.catch(() => clients.delete(key));
  }
  return client;
}

async function createClient(): Promise<S3> {
  // The package warns on every start that it will end its support of Node.js 20 one day.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const name = '@aws-sdk/client-s3';
  const problem = `s3:// needs the package ${name}, which is not installed: npm install ${name}`;
  const sdk = await optionalPackage(name, problem, () => import('@aws-sdk/client-s3'));
  const client = new sdk.S3Client({
    // Understood by every server; most that are not Amazon's have no names for buckets.
    forcePathStyle: process.env['RELFLOW_S3_VIRTUAL_HOSTS'] !== '1',
    ...(!process.env['AWS_MAX_ATTEMPTS'] && { maxAttempts: ATTEMPTS }),
    // The default region of other programs, for servers that have none.
    ...(s3Endpoint() && !hasRegion() && { region: 'us-east-1' }),
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
  });
  return { client, sdk };
}

/** The endpoint that the environment names, if it names one. */
export const s3Endpoint = (): string | undefined =>
  process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ENDPOINT_URL'];
const hasRegion = () =>
  Boolean(process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || process.env['AWS_PROFILE']);

/** The HTTP status of a failed request, null if there was no response. */
export function statusOf(error: unknown): number | null {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? null;
}

/** Describes a failed request without anything that may contain credentials. */
export function describeS3Error(error: unknown): string {
  const { name = 'Error', code } = error as { readonly name?: string; readonly code?: unknown };
  const status = statusOf(error);
  if ((error as Error).message === 'Region is missing') return 'no region: set AWS_REGION';
  const known = KNOWN[name] ?? (typeof code === 'string' ? KNOWN[code] : undefined);
  const found = status === null ? (typeof code === 'string' ? code : name) : `${name}, status ${status}`;
  return known === undefined ? found : `${known} (${found})`;
}

const KNOWN: Readonly<Record<string, string>> = {
  NoSuchBucket: 'no such bucket',
  NoSuchKey: 'no such object',
  NotFound: 'no such object or bucket',
  AccessDenied: 'no permission',
  Forbidden: 'no permission',
  InvalidAccessKeyId: 'the access key is unknown to the store',
  SignatureDoesNotMatch: 'the secret key is wrong',
  ExpiredToken: 'the credentials have expired',
  CredentialsProviderError: 'no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  ECONNREFUSED: 'nothing answers at the endpoint; check AWS_ENDPOINT_URL',
  ENOTFOUND: 'the host of the endpoint is unknown; check AWS_ENDPOINT_URL',
  ERR_INVALID_URL: 'the endpoint is not a URL; check AWS_ENDPOINT_URL',
  PermanentRedirect: 'the bucket is in another region; set AWS_REGION',
  AuthorizationHeaderMalformed: 'the bucket is in another region; set AWS_REGION',
};
