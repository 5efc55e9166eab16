import { elementsOf, fieldsOf } from '../files/json/json-value.js';
import type { TokenLogprob } from '../records/answer.js';

/** The maximum number of tokens whose probabilities are kept. */
const MAX_TOKENS = 4000;
/** The maximum number of alternatives of a token that are kept. */
const MAX_TOP = 20;

/** How far above 0 the rounding of a server may lift a log probability. */
const ROUNDING = 1e-3;

/** Returns the tokens of the first choice of a chat completion with their log probabilities; undefined if the server gave none. */
export function tokenLogprobs(completion: unknown): TokenLogprob[] | undefined {
  const { logprobs } = fieldsOf(elementsOf(fieldsOf(completion)['choices'])[0]);
  const tokens = elementsOf(fieldsOf(logprobs)['content']).slice(0, MAX_TOKENS).map(readToken);
  const known = tokens.filter((token) => token !== undefined);
  // A gap would shift the tokens after it.
  return tokens.length > 0 && known.length === tokens.length ? known : undefined;
}

function readToken(value: unknown): TokenLogprob | undefined {
  const found = readLogprob(value);
  const top = elementsOf(fieldsOf(value)['top_logprobs'])
    .slice(0, MAX_TOP)
    .flatMap((one) => readLogprob(one) ?? []);
  return found && (top.length > 0 ? { ...found, top } : found);
}

function readLogprob(value: unknown): { token: string; logprob: number } | undefined {
  const { token, logprob } = fieldsOf(value);
  if (typeof token !== 'string' || typeof logprob !== 'number' || !(logprob <= ROUNDING)) return undefined;
  // Some servers write the most negative float for a token that cannot occur.
  return { token, logprob: Math.round(Math.min(0, Math.max(logprob, -100)) * 1e4) / 1e4 };
}
