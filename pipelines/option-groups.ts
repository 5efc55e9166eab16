import type { TSchema } from '../src/records/type.js';

/** Heading of the options that most people need, which help shows first. */
export const MAIN = 'Main options';

/** Puts options under a heading of help, except those that already have one. */
export function inGroup<T extends Readonly<Record<string, TSchema>>>(group: string, options: T): T {
  for (const schema of Object.values(options)) Object.assign(schema, { group, ...schema });
  return options;
}
