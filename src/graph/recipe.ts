import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { OptionError, RelflowError } from '../errors.js';
import type { Static, TObject } from '../records/type.js';
import type { Graph } from './graph.js';

/** What a recipe's options look like: one JSON Schema, from which come the flags, their help and their checks. */
export type OptionsSchema = TObject;

/** A pipeline by name: options in, a graph out. */
export interface Recipe<S extends OptionsSchema = OptionsSchema> {
  readonly name: string;
  /** One line, for lists. */
  readonly summary: string;
  readonly options: S;
  /** Command lines that work, without the `relflow` before them. */
  readonly examples: readonly string[];
  /** @throws OptionError where options do not fit together */
  readonly build: (options: Static<S>) => Graph | Promise<Graph>;
}

/** Only there to tie the type of `build` to the schema. */
export function recipe<S extends OptionsSchema>(definition: Recipe<S>): Recipe<S> {
  return definition;
}

// A wrong schema is refused as it is compiled; the schema of schemas itself takes longer than all else.
const ajv = new Ajv2020({ strict: true, useDefaults: true, verbose: true, validateSchema: false });

/**
 * Checks options, fills in defaults and makes the graph.
 *
 * @returns the graph, and the options as a resume needs them
 * @throws OptionError naming the option, its value and what it expects
 * @throws RelflowError `bad-recipe` where the recipe itself fails
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
    // A recipe may be anybody's: what it throws is no bug of relflow.
    throw new RelflowError('bad-recipe', `${name}: the recipe failed: ${error}`, { recipe: name }, { cause: error });
  }
  // A module may have a relflow of its own beside this one, so `instanceof` would say too much.
  if (!Array.isArray(graph?.nodes)) throw new OptionError(name, 'its build did not give a Graph');
  return { graph, options };
}

function compile(name: string, schema: OptionsSchema): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    const problem = `${name}: its options are no JSON Schema: ${(error as Error).message}`;
    throw new RelflowError('bad-recipe', problem, { recipe: name }, { cause: error });
  }
}

function explain(error: ErrorObject | undefined, schema: OptionsSchema): string {
  if (error?.keyword === 'required') return `--${flagName(String(error.params['missingProperty']))} is missing`;
  if (error?.keyword === 'additionalProperties') {
    const known = Object.keys(schema.properties).map(flagName);
    return `unknown option '${error.params['additionalProperty']}', expected one of ${known.join(', ')}`;
  }
  const flag = flagName(error?.instancePath.slice(1) ?? '');
  return `--${flag} ${JSON.stringify(error?.data)} ${error?.message ?? 'is wrong'}`;
}

/** `maxPairs` as it stands on the command line: `max-pairs`. */
export function flagName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
