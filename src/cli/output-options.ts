import { Option } from 'commander';
import { MAIN } from '../../pipelines/option-groups.js';
import { EXPORT_FORMATS } from '../index.js';
import type { TSchema } from '../records/type.js';
import { number } from './recipes.js';
import { ALLOW_EMPTY } from './run-result.js';

/** Options that decide what a run writes, besides those of its pipeline. A configuration may contain them too. */
export interface OutputFlags {
  readonly out?: string;
  readonly export: readonly string[];
  readonly allowEmpty?: boolean;
  readonly gzip?: boolean;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly concurrency?: number;
}

/** The formats of one file, which a run can write into its folder. */
const fileFormats = Object.entries(EXPORT_FORMATS).flatMap(([name, { kind }]) => (kind === 'file' ? name : []));

const count = { type: 'integer', minimum: 1 };

/** Schemas of the output options in a configuration. */
export const outputSchemas: Readonly<Record<keyof OutputFlags, TSchema>> = {
  out: { type: 'string', minLength: 1 },
  export: { type: 'array', items: { enum: fileFormats } },
  allowEmpty: { type: 'boolean' },
  gzip: { type: 'boolean' },
  shardRecords: count,
  shardBytes: count,
  concurrency: count,
};

const OUTPUT = 'Output:';

/** Makes the output options of `run` and `plan`; `out` describes the output folder. */
export function outputOptions(out: string): Option[] {
  return [
    new Option('-o, --out <folder>', out).helpGroup(`${MAIN}:`),
    exportOption(),
    new Option('--allow-empty', ALLOW_EMPTY).helpGroup(OUTPUT),
    new Option('--gzip', 'compress shards').helpGroup(OUTPUT),
    new Option('--shard-records <number>', 'input records per shard (default: 1000)')
      .argParser(number)
      .helpGroup(OUTPUT),
    new Option('--shard-bytes <number>', 'also end a shard at this size (default: no limit)')
      .argParser(number)
      .helpGroup(OUTPUT),
    new Option('--concurrency <number>', 'records in flight per stage').argParser(number).helpGroup('Execution:'),
  ];
}

function exportOption(): Option {
  const option = new Option('--export <formats>', 'formats to write at the end, separated by commas')
    .argParser((text) => [...new Set(text.split(',').map((part) => part.trim()))])
    .default([], 'none')
    .helpGroup(`${MAIN}:`);
  // For help and completion; the value is a list, which is checked when the graph is built.
  option.argChoices = fileFormats;
  return option;
}
