import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { InputError } from '../../errors.js';
import { readSmallJson } from '../../files/read-small-file.js';
import { PADDING_ID, type TokenizedTexts } from './roberta.js';

/** Converts a text to token ids, including the start and end tokens. */
export interface Tokenizer {
  encode(text: string): readonly number[];
}

/**
 * Opens RoBERTa's tokenizer from a folder with Hugging Face's `tokenizer.json` (and `tokenizer_config.json`).
 * @throws InputError if `tokenizer.json` cannot be read or describes no usable tokenizer
 *
 * @example
 * ```ts
 * import { openTokenizer, tokenizeLabels } from 'relflow/model';
 *
 * const tokenizer = await openTokenizer('roberta-base');
 * const { ids, texts, tokens } = tokenizeLabels(tokenizer, ['person', 'riding a bicycle'], 512);
 * console.log(texts, tokens, ids);
 * ```
 */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const file = join(folder, 'tokenizer.json');
  const read = async (path: string) => (await readSmallJson(path, undefined, 'JSON of a tokenizer')) as object;
  const rules = await read(file).catch((cause) => {
    if (cause instanceof InputError) throw cause;
    throw new InputError(
      file,
      'cannot be read as a tokenizer, expected the tokenizer.json of roberta-base',
      undefined,
      { cause },
    );
  });
  const config = await read(join(folder, 'tokenizer_config.json')).catch(() => ({}));
  const encode = (tokenizer: HuggingFaceTokenizer, text: string) => tokenizer.encode(text).ids.map(Number);
  try {
    const tokenizer = new HuggingFaceTokenizer(rules, config);
    // Some faults of the file show only when it is used.
    encode(tokenizer, 'a person riding a bicycle');
    return { encode: (text) => encode(tokenizer, text) };
  } catch (cause) {
    throw new InputError(
      file,
      `is not a usable tokenizer: ${(cause as Error).message.slice(0, 200)}; expected the tokenizer.json of roberta-base`,
      undefined,
      { cause },
    );
  }
}

/** Token id of byte 0. The ids before it are start, padding, end and unknown. */
export const FIRST_BYTE = 4;

/** Tokenizer of the tiny models, with one token per byte; it needs no file. */
export const byteTokenizer: Tokenizer = {
  encode: (text) => [0, ...new TextEncoder().encode(text).map((byte) => byte + FIRST_BYTE), 2],
};

/**
 * Tokenizes texts and pads them to the same length.
 * @param longest maximum number of tokens per text; longer texts lose the tokens before their end token
 * @param multiple texts are padded to a multiple of this many tokens, at most to `longest`; default 1
 */
export function tokenizeLabels(
  tokenizer: Tokenizer,
  texts: readonly string[],
  longest: number,
  multiple = 1,
): TokenizedTexts {
  const rows = texts.map((text) => {
    const ids = tokenizer.encode(text);
    return ids.length > longest ? [...ids.slice(0, longest - 1), ids[ids.length - 1]!] : ids;
  });
  const needed = Math.max(1, ...rows.map((row) => row.length));
  const tokens = Math.min(Math.max(needed, longest), multiple * Math.ceil(needed / multiple));
  const ids = new Int32Array(texts.length * tokens).fill(PADDING_ID);
  for (const [k, row] of rows.entries()) ids.set(row, k * tokens);
  return { ids, texts: texts.length, tokens };
}
