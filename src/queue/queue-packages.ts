import { optionalPackage } from '../files/optional-package.js';

const load = <T>(name: string, importPackage: () => Promise<T>): Promise<T> =>
  optionalPackage(
    name,
    `queues need the packages bullmq and ioredis, and ${name} is not installed: npm install --ignore-scripts bullmq ioredis`,
    importPackage,
  );

/** BullMQ and ioredis are optional: only runs by queues need them. */
export const { FlowProducer, Queue, QueueEvents, UnrecoverableError, WaitingError, Worker } = await load(
  'bullmq',
  () => import('bullmq'),
);
export const { Redis } = await load('ioredis', () => import('ioredis'));
