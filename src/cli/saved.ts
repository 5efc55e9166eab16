/** What `run.json` stores for a resume, besides the description of the graph. */
export interface Saved {
  readonly recipe: string;
  readonly options: Record<string, unknown>;
  readonly exports: readonly string[];
}

/** Returns whether the options of a run are those of a recipe, and not null or those of a program. */
export function isSaved(options: unknown): options is Saved {
  const saved = options as Partial<Saved> | null;
  const { recipe, options: given, exports } = saved ?? {};
  if (typeof recipe !== 'string' || typeof given !== 'object' || given === null || !Array.isArray(exports))
    return false;
  return exports.every((format) => typeof format === 'string');
}
