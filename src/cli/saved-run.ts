import { type Graph, OptionError, OutputError, RelflowError, type RunFolder } from '../index.js';
import { graphInputs } from '../runs/graph-inputs.js';
import { buildGraph, findRecipe } from './recipes.js';
import { isSaved, type Saved } from './saved.js';
import { type TrustFlags, trustedRun } from './trusted-run.js';

/** Options for building the graph of a run again. */
interface Rebuilding {
  /** Whether the input files must exist. Default true. */
  readonly inputs?: boolean;
  /** Options that do not belong to the identity of the run; ignored for recipes without them. */
  readonly changed?: Readonly<Record<string, unknown>>;
}

/** Options of `graphOfRun`. */
interface RebuildingRun extends Rebuilding {
  /** What the user says about a run that somebody else started. */
  readonly flags: TrustFlags;
  /** Whether something else shows that the run is the user's. Default false. */
  readonly isConfirmed?: boolean;
}

/**
 * Builds the graph of a run from its saved options, if the user started the run or trusts it.
 *
 * @param where the name of the command in messages
 * @param call the function to call instead when the run was composed in code
 * @throws RelflowError `untrusted-run` when somebody else started the run and the flags do not confirm its options
 */
export async function graphOfRun(
  folder: RunFolder,
  where: string,
  call: string,
  { flags, isConfirmed = false, ...rebuilding }: RebuildingRun,
): Promise<Graph> {
  const state = await folder.state();
  if (!state) throw new OutputError(folder.path, 'not the output folder of a run');
  if (!isSaved(state.options)) {
    throw new OptionError(where, `the run '${state.pipeline}' was composed in code; call ${call} in that code`);
  }
  return rebuild(await trustedRun(where, folder.path, state, state.options, flags, isConfirmed), rebuilding);
}

/**
 * Builds the graph of a saved run and checks that its inputs exist. Paths are saved as they were given, since an output
 * folder must not reveal the machine that it was written on, so relative ones may not exist from another folder.
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
    const message = `${error.message} (relative paths of a run are resolved against the folder where it was started)`;
    throw new RelflowError(error.code, message, error.fields, { cause: error });
  }
}
