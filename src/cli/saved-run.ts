import { type Graph, OptionError, OutputError, RelflowError, type RunFolder } from '../index.js';
import { graphInputs } from '../runs/graph-inputs.js';
import { buildGraph, findRecipe } from './recipes.js';

/** What `run.json` keeps for a resume, beside what the graph says of itself. */
export interface Saved {
  readonly recipe: string;
  readonly options: Record<string, unknown>;
  readonly exports: readonly string[];
}

/** How the graph of a run is made again. */
interface Rebuilding {
  /** Whether its input files must be there. Default true. */
  readonly inputs?: boolean;
  /** Options that are no part of what the run is, for recipes that have them. */
  readonly changed?: Readonly<Record<string, unknown>>;
}

/**
 * The graph of a run as it was saved.
 *
 * @param where the command, for messages
 * @param call what to call instead where the run was composed in code
 */
export async function graphOfRun(
  folder: RunFolder,
  where: string,
  call: string,
  rebuilding: Rebuilding = {},
): Promise<Graph> {
  const state = await folder.state();
  if (!state) throw new OutputError(folder.path, 'not the output folder of a run');
  if (!isSaved(state.options)) {
    throw new OptionError(where, `the run '${state.pipeline}' was composed in code; call ${call} there`);
  }
  return rebuild(state.options, rebuilding);
}

export function isSaved(options: unknown): options is Saved {
  const saved = options as Partial<Saved> | null;
  return typeof saved?.recipe === 'string' && typeof saved.options === 'object' && Array.isArray(saved.exports);
}

/**
 * The graph of a run as it was saved, its inputs in place. Paths are saved as they were given, since an output folder
 * tells nothing of the machine that it was made on; so they may lead nowhere from another folder.
 */
export async function rebuild(
  { recipe: name, options, exports }: Saved,
  { inputs = true, changed = {} }: Rebuilding = {},
): Promise<Graph> {
  try {
    const recipe = await findRecipe(name);
    const known = Object.entries(changed).filter(([option]) => option in recipe.options.properties);
    const { graph } = await buildGraph(recipe, { ...options, ...Object.fromEntries(known) }, exports);
    if (inputs) await graphInputs(graph);
    return graph;
  } catch (error) {
    if (!(error instanceof RelflowError)) throw error;
    const message = `${error.message} (relative paths of a run count from the folder where it was begun)`;
    throw new RelflowError(error.code, message, error.fields, { cause: error });
  }
}
