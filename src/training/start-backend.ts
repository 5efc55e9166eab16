import { type Backend, useBackend } from '../model/backends/use-backend.js';
import type { TrainingConfig } from '../records/training-config.js';

/**
 * Starts the backend of a configuration.
 * @throws RelflowError (`no-backend`) when it cannot start on this machine
 */
export const startBackend = ({ backend, threads }: Pick<TrainingConfig, 'backend' | 'threads'>): Promise<Backend> =>
  useBackend(backend, threads === undefined ? {} : { threads });
