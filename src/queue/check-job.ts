import { createHmac, timingSafeEqual } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Job } from 'bullmq';
import { digest } from '../files/digest.js';
import { isInside } from '../files/is-inside.js';
import { uuidPattern } from '../files/uuid-pattern.js';
import type { Lane } from '../operators/operator.js';
import { Type } from '../records/type.js';
import type { RunJob, ShardJob } from './jobs.js';
import { UnrecoverableError } from './queue-packages.js';

/** A job with more attempts is not from relflow. */
export const MAX_ATTEMPTS = 1000;

const runJob = {
  run: Type.String({ pattern: `^${uuidPattern}$` }),
  out: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\u0000-\\u001f]+$' }),
  stateDigest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  retries: Type.Object(
    {
      attempts: Type.Integer({ minimum: 1, maximum: MAX_ATTEMPTS }),
      backoff: Type.Object(
        { type: Type.Literal('exponential'), delay: Type.Integer({ minimum: 0, maximum: 86_400_000 }) },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
  signature: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
};
const shardJob = {
  ...runJob,
  shard: Type.Integer({ minimum: 0, maximum: 999_999_999 }),
  phase: Type.Integer({ minimum: 1, maximum: 99 }),
};

const ajv = new Ajv2020({ strict: true, validateSchema: false });
const isRunJob = ajv.compile(Type.Object(runJob, { additionalProperties: false }));
const isShardJob = ajv.compile(Type.Object(shardJob, { additionalProperties: false }));

/** What a worker accepts. */
export interface JobRules {
  /** Folder in which the folders of runs must be; undefined for any folder. */
  readonly root: string | undefined;
  /** Secret with which jobs must be signed; undefined if they need no signature. */
  readonly secret: string | undefined;
}

/**
 * Checks a job before anything in it is used: anyone who can write to the server may have made it.
 * @throws UnrecoverableError with the reason, so that the queue does not try the job again
 */
export async function checkJob(lane: Lane, { data, opts }: Job<RunJob>, { root, secret }: JobRules): Promise<void> {
  const check = lane === 'source' || lane === 'finish' ? isRunJob : isShardJob;
  const refuse = (problem: string): never => {
    throw new UnrecoverableError(`the job was refused: ${problem}`);
  };
  if (!check(data)) {
    const [error] = check.errors ?? [];
    refuse(`${error?.instancePath || 'its data'} ${error?.message ?? 'is not of a job of relflow'}`);
  }
  if ((opts.attempts ?? 1) > MAX_ATTEMPTS) refuse(`it has ${opts.attempts} attempts, expected at most ${MAX_ATTEMPTS}`);
  if (secret !== undefined && !isSigned(data, secret))
    refuse('it is not signed with the secret in RELFLOW_QUEUE_SECRET of this worker');
  if (!isAbsolute(data.out)) refuse('its folder is not an absolute path');
  if (root === undefined) return;
  const inside = await isInside(await realpath(root), data.out);
  if (inside !== true)
    refuse(inside === null ? `there is no folder ${data.out}` : `${data.out} is not in ${root}, the folder of --root`);
}

/** Returns a job with its signature, if there is a secret. */
export function signed<J extends RunJob>(job: J, secret: string | undefined): J {
  return secret === undefined ? job : { ...job, signature: signature(job, secret) };
}

function isSigned(job: RunJob | ShardJob, secret: string): boolean {
  if (job.signature === undefined) return false;
  return timingSafeEqual(Buffer.from(job.signature, 'hex'), Buffer.from(signature(job, secret), 'hex'));
}

function signature({ signature: _, ...job }: RunJob, secret: string): string {
  return createHmac('sha256', secret).update(digest(job)).digest('hex');
}
