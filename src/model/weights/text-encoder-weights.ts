import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { readFinite } from '../../files/read-finite.js';
import type { WeightSource } from '../../files/weight-source.js';
import type { Parameter } from '../parameter-scope.js';
import { checkWeights } from './load-weights.js';
import { openWeights } from './open-weights.js';

const PREFIX = 'transformer.text_encoder.';

/** Weights files of a Hugging Face folder, in order of preference. */
const weightFiles = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'];

/** Names of heads that a RoBERTa may have and that label vectors do not need. */
const headPattern = /^(?:lm_head|classifier|qa_outputs)\./;

/**
 * Opens the weights of a Hugging Face RoBERTa, such as roberta-base.
 * @param path weights file, or a folder with `model.safetensors`, its index of shards, or `pytorch_model.bin`
 * @returns its arrays, without heads, under the names that they have in a model's state dict
 * @throws InputError if there are no weights, or they cannot be read
 *
 * @example
 * ```ts
 * import { initializeWeights, loadTextEncoder, openTextEncoder, parsedaR50, RlipV2, useBackend } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(parsedaR50);
 * initializeWeights(model.parameters, 1);
 * const roberta = await openTextEncoder('roberta-base');
 * await loadTextEncoder(model.parameters, roberta);
 * await roberta.close();
 * ```
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
 * Selects the parameters of a model for which an opened text encoder has values: all of the model's text encoder, without
 * the pooler if the text encoder has none. The published roberta-base has no pooler; the model's pooler then keeps its random
 * values, as in the official models.
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
 * Loads the weights of a RoBERTa into the text encoder of a model. All other parameters keep their values, and so does the
 * pooler if the RoBERTa has none.
 * @param source see `openTextEncoder`
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key; then nothing is loaded
 *
 * @example
 * ```ts
 * import { initializeWeights, loadTextEncoder, openTextEncoder, rTaggerR50, RlipV2, useBackend } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(rTaggerR50);
 * initializeWeights(model.parameters, 1);
 * const roberta = await openTextEncoder('roberta-base/model.safetensors');
 * await loadTextEncoder(model.parameters, roberta);
 * await roberta.close();
 * ```
 */
export async function loadTextEncoder(parameters: ReadonlyMap<string, Parameter>, source: WeightSource): Promise<void> {
  for (const [name, parameter] of textEncoderParameters(parameters, source))
    parameter.set(await readFinite(source, name));
}

async function weightFile(path: string): Promise<string> {
  if (!(await stat(path).catch(() => null))?.isDirectory()) return path;
  for (const file of weightFiles)
    if ((await stat(join(path, file)).catch(() => null))?.isFile()) return join(path, file);
  throw new InputError(path, `contains no weights, expected one of ${weightFiles.join(', ')}`);
}
