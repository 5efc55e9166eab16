/**
 * Runs on many machines. Loads BullMQ and ioredis, which are optional peer dependencies (RelflowError `missing-package`).
 *
 * @module relflow/queue
 */

export { type IsolatedShard, type IsolateOptions, isolateShard, serveIsolatedShard } from './isolate-shard.js';
export { checkServer, type QueueServer, type QueueServerOptions, queueServer } from './queue-server.js';
export { LANES } from './queues.js';
export { type LaneStatus, type RunStatus, RunWatch, waitForRun } from './run-status.js';
export { type SubmitOptions, type Submitted, submit } from './submit.js';
export { startWatchdog } from './watchdog.js';
export { type RunningWorker, startWorker } from './worker.js';
export type { WorkerEvent } from './worker-event.js';
export type { WorkerOptions } from './worker-options.js';
