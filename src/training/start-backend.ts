import { type Backend, useBackend } from '../model/backends/use-backend.js';
import type { TrainingConfig } from '../records/training-config.js';

/**
 * Starts the backend of a configuration.
 * @throws RelflowError (`no-backend`) when it cannot start on this machine
 */
export const startBackend = ({
  backend,
  threads,
  tf32 = false,
}: Pick<TrainingConfig, 'backend' | 'threads' | 'tf32'>): Promise<Backend> =>
  useBackend(backend, { tf32, ...(threads !== undefined && { threads }) });
