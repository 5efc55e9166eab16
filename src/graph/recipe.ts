import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { OptionError, RelflowError } from '../errors.js';
import type { Static, TObject } from '../records/type.js';
import { expectedValue } from './expected-value.js';
import type { Graph } from './graph.js';

/**
 * JSON Schema of a recipe's options. The command line's flags, their help, their checks and their completion come from it. Two more
 * keywords describe an option to a person: `group` is its heading in help, and `argument` names its value, of which `file`, `files`
 * and `folder` are completed as paths.
 */
export type OptionsSchema = TObject;

/** A named function from options to a graph, with the schema of its options. */
export interface Recipe<S extends OptionsSchema = OptionsSchema> {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  readonly options: S;
  /** Working command lines, without the leading `relflow`. */
  readonly examples: readonly string[];
  /** @throws OptionError when options contradict each other */
  readonly build: (options: Static<S>) => Graph | Promise<Graph>;
}

/**
 * Returns the recipe unchanged; gives `build` the type of the options that the schema describes.
 *
 * @example
 * ```ts
 * import { coco, Graph, recipe, sceneGraphs, Type } from 'relflow';
 *
 * export default recipe({
 *   name: 'boxes',
 *   summary: 'images with a minimum number of boxes',
 *   examples: ['run ./boxes.mjs --annotations instances.json --min-boxes 3 --out out'],
 *   options: Type.Object({
 *     annotations: Type.String({ description: 'COCO annotations' }),
 *     minBoxes: Type.Integer({ minimum: 1, default: 1, description: 'fewest boxes of an image' }),
 *   }),
 *   build: ({ annotations, minBoxes }) => {
 *     const graph = new Graph('boxes');
 *     const boxes = { name: 'boxes', version: '1', needs: ['detections'], line: (record: object) => record };
 *     graph
 *       .from(coco({ annotations }))
 *       .filter('enough-boxes', ({ detections }) => detections.length >= minBoxes)
 *       .to(boxes);
 *     return graph;
 *   },
 * });
 * ```
 */
export function recipe<S extends OptionsSchema>(definition: Recipe<S>): Recipe<S> {
  return definition;
}

/** Keywords of an option's schema that describe it to a person and check nothing. */
export const OPTION_ANNOTATIONS: readonly string[] = ['group', 'argument'];

// Compiling rejects an invalid schema; checking it against the meta-schema takes longer than everything else.
const ajv = new Ajv2020({ strict: true, useDefaults: true, verbose: true, validateSchema: false });
ajv.addVocabulary([...OPTION_ANNOTATIONS]);

/**
 * Checks a recipe's options, fills in their defaults and builds the graph.
 *
 * @returns the graph, and the options with defaults, which a resume needs
 * @throws OptionError naming the option, its value and the expected values
 * @throws RelflowError `bad-recipe` when the recipe itself fails
 * @example
 * ```ts
 * import { buildRecipe, coco, Graph, recipe, run, sceneGraphLines, sceneGraphs, Type } from 'relflow';
 *
 * const copy = recipe({
 *   name: 'copy',
 *   summary: 'copies scene graphs',
 *   examples: [],
 *   options: Type.Object({ path: Type.String() }),
 *   build: ({ path }) => {
 *     const graph = new Graph('copy');
 *     graph.from(sceneGraphLines({ sceneGraphs: path })).to(sceneGraphs());
 *     return graph;
 *   },
 * });
 * const { graph, options } = await buildRecipe(copy, { path: 'graphs.jsonl' });
 * await run(graph, { out: 'out', pipelineOptions: options });
 * ```
 */
export async function buildRecipe(
  { name, options: schema, build }: Recipe,
  given: Readonly<Record<string, unknown>>,
): Promise<{ graph: Graph; options: Record<string, unknown> }> {
  const options: Record<string, unknown> = structuredClone({ ...given });
  let graph: Graph | undefined;
  try {
    const check = compile(name, schema);
    if (!check(options)) throw new OptionError(name, explain(check.errors?.[0], schema));
    graph = await build(options);
  } catch (error) {
    if (error instanceof RelflowError) throw error;
    // A recipe may be the user's own: an error in it is not a bug of relflow.
    throw new RelflowError('bad-recipe', `${name}: the recipe failed: ${error}`, { recipe: name }, { cause: error });
  }
  // A user's module may load another copy of relflow, whose graphs are not an `instanceof` this Graph.
  if (!Array.isArray(graph?.nodes)) throw new OptionError(name, 'its build function did not return a Graph');
  return { graph, options };
}

function compile(name: string, schema: OptionsSchema): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    const problem = `${name}: its options are not a valid JSON Schema: ${(error as Error).message}`;
    throw new RelflowError('bad-recipe', problem, { recipe: name }, { cause: error });
  }
}

function explain(error: ErrorObject | undefined, schema: OptionsSchema): string {
  if (error?.keyword === 'required') return `--${recipeFlagName(String(error.params['missingProperty']))} is missing`;
  if (error?.keyword === 'additionalProperties') {
    const known = Object.keys(schema.properties).map(recipeFlagName);
    return `unknown option '${error.params['additionalProperty']}', expected one of ${known.join(', ')}`;
  }
  const property = error?.instancePath.slice(1) ?? '';
  const found = `--${recipeFlagName(property)} ${JSON.stringify(error?.data)}`;
  const option = schema.properties[property];
  return option ? `${found}, expected ${expectedValue(option)}` : `${found} ${error?.message ?? 'is invalid'}`;
}

/** Returns the command line's name of an option: `max-pairs` for `maxPairs`. */
export function recipeFlagName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
