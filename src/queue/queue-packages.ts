import { RelflowError } from '../errors.js';

/** Loads an optional package of the queues. @throws RelflowError (`missing-package`) if it is not installed */
async function load<T>(name: string, importPackage: () => Promise<T>): Promise<T> {
  try {
    return await importPackage();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // A package that is installed but lacks one of its own dependencies has another problem.
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    throw new RelflowError(
      'missing-package',
      `queues need the packages bullmq and ioredis, and ${name} is not installed: npm install --ignore-scripts bullmq ioredis`,
      { package: name },
      { cause },
    );
  }
}

/** BullMQ and ioredis are optional: only runs by queues need them. */
export const { FlowProducer, Queue, QueueEvents, UnrecoverableError, WaitingError, Worker } = await load(
  'bullmq',
  () => import('bullmq'),
);
export const { Redis } = await load('ioredis', () => import('ioredis'));
