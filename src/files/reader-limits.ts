import { OptionError } from '../errors.js';

/** Limits that every reader of JSON, JSON Lines and tables keeps, so that a small file cannot take all memory or time. */
export interface ReaderLimits {
  /** The maximum size of one element of a JSON file, or of one line, in bytes. Default 16 MiB. */
  readonly maxElementBytes: number;
  /** The maximum ratio between the size of a file's content and that of the gzip file. Default 200. */
  readonly maxCompressionRatio: number;
}

const defaults: ReaderLimits = { maxElementBytes: 16 * 1024 * 1024, maxCompressionRatio: 200 };

/** The environment variables that set the limits, for messages. */
export const limitVariables = {
  maxElementBytes: 'RELFLOW_MAX_ELEMENT_BYTES',
  maxCompressionRatio: 'RELFLOW_MAX_COMPRESSION_RATIO',
} as const;

/**
 * Returns the limits for files: those of the environment variables `RELFLOW_MAX_ELEMENT_BYTES` and
 * `RELFLOW_MAX_COMPRESSION_RATIO`, else the defaults. They belong to the person, not to a file or a run.
 * @throws OptionError if a variable is not a whole number of at least 1
 */
export function readerLimits(): ReaderLimits {
  return { maxElementBytes: limitOf('maxElementBytes'), maxCompressionRatio: limitOf('maxCompressionRatio') };
}

/** Describes a value or line that is longer than `bytes`, for messages. */
export function longerThan(what: string, bytes: number): string {
  return `${what} is longer than ${bytes} bytes, the limit that ${limitVariables.maxElementBytes} sets`;
}

function limitOf(name: keyof ReaderLimits): number {
  const variable = limitVariables[name];
  const text = process.env[variable];
  if (text === undefined || text === '') return defaults[name];
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new OptionError(variable, `is '${text}', expected a whole number of at least 1`);
  return value;
}
