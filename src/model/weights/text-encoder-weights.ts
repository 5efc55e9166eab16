import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { WeightSource } from '../../files/weight-source.js';
import type { Parameter } from '../parameter-scope.js';
import { checkWeights } from './load-weights.js';
import { openWeights } from './open-weights.js';

const PREFIX = 'transformer.text_encoder.';

/** Files of a Hugging Face folder that hold weights, the best first. */
const weightFiles = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'];

/** What a RoBERTa may have on top, which makes no label vectors. */
const headPattern = /^(?:lm_head|classifier|qa_outputs)\./;

/**
 * Opens a RoBERTa of Hugging Face alone, as roberta-base is one.
 * @param path a file of weights, or a folder with `model.safetensors`, its index of shards, or `pytorch_model.bin`
 * @returns its arrays under the names that they have in a model's state dict; heads are left out
 * @throws InputError where there is none
 */
export async function openTextEncoder(path: string): Promise<WeightSource> {
  const source = await openWeights(await weightFile(path));
  const names = new Map<string, string>();
  for (const name of source.entries.keys())
    if (!headPattern.test(name)) names.set(PREFIX + name.replace(/^(?:transformer\.text_encoder|roberta)\./, ''), name);
  return {
    name: source.name,
    entries: new Map([...names].map(([name, stored]) => [name, source.entries.get(stored)!])),
    read: (name) => source.read(names.get(name) ?? name),
    close: () => source.close(),
  };
}

/**
 * The parameters of a model that an opened text encoder has the values of: all of the model's own text encoder, save the
 * pooler where there is none. roberta-base as it lies on the hub has none; a pooler then starts at random, as the
 * official models' did.
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key
 */
export function textEncoderParameters(
  parameters: ReadonlyMap<string, Parameter>,
  source: WeightSource,
): ReadonlyMap<string, Parameter> {
  const isPooler = (name: string) => name.startsWith(`${PREFIX}pooler.`);
  const pooler = [...source.entries.keys()].some(isPooler);
  const own = new Map([...parameters].filter(([name]) => name.startsWith(PREFIX) && (pooler || !isPooler(name))));
  checkWeights(own, source, "does not fit the model's text encoder");
  return own;
}

/**
 * Gives a model's text encoder the weights of a RoBERTa; the rest of the model stays as it is, and the pooler too where
 * the RoBERTa has none.
 * @param source see `openTextEncoder`
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key; then nothing is loaded
 */
export async function loadTextEncoder(parameters: ReadonlyMap<string, Parameter>, source: WeightSource): Promise<void> {
  for (const [name, parameter] of textEncoderParameters(parameters, source)) parameter.set(await source.read(name));
}

async function weightFile(path: string): Promise<string> {
  if (!(await stat(path).catch(() => null))?.isDirectory()) return path;
  for (const file of weightFiles)
    if ((await stat(join(path, file)).catch(() => null))?.isFile()) return join(path, file);
  throw new InputError(path, `holds no weights, expected ${weightFiles.join(', ')}`);
}
