import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { InputError } from '../../errors.js';
import { PADDING_ID, type TokenizedTexts } from './roberta.js';

/** Turns a label into token ids, those of start and end among them. */
export interface Tokenizer {
  encode(text: string): readonly number[];
}

/**
 * RoBERTa's tokenizer from a folder with Hugging Face's `tokenizer.json` (and `tokenizer_config.json`).
 * @throws InputError where there is none
 */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const file = join(folder, 'tokenizer.json');
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as object;
  const rules = await read(file).catch((cause) => {
    throw new InputError(file, 'can not be read as a tokenizer; it comes with roberta-base', undefined, { cause });
  });
  const config = await read(join(folder, 'tokenizer_config.json')).catch(() => ({}));
  const tokenizer = new HuggingFaceTokenizer(rules, config);
  return { encode: (text) => tokenizer.encode(text).ids.map(Number) };
}

/** Ids of the bytes begin behind those of start, padding, end and unknown. */
export const FIRST_BYTE = 4;

/** One token a byte: the tokenizer of the tiny models, which needs no file. */
export const byteTokenizer: Tokenizer = {
  encode: (text) => [0, ...new TextEncoder().encode(text).map((byte) => byte + FIRST_BYTE), 2],
};

/**
 * Texts as rows of one length.
 * @param longest tokens that a text has at most; of a longer one the end is kept and the middle goes
 */
export function tokenize(tokenizer: Tokenizer, texts: readonly string[], longest: number): TokenizedTexts {
  const rows = texts.map((text) => {
    const ids = tokenizer.encode(text);
    return ids.length > longest ? [...ids.slice(0, longest - 1), ids[ids.length - 1]!] : ids;
  });
  const tokens = Math.max(1, ...rows.map((row) => row.length));
  const ids = new Int32Array(texts.length * tokens).fill(PADDING_ID);
  for (const [k, row] of rows.entries()) ids.set(row, k * tokens);
  return { ids, texts: texts.length, tokens };
}
