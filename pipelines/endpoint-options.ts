import { type Static, Type } from '../src/index.js';
import { inGroup } from './option-groups.js';

/** Options of requests to any endpoint. Defaults are those of the API. */
export const endpointOptions = inGroup('Requests to models', {
  requestsAtOnce: Type.Optional(
    Type.Integer({ minimum: 1, description: 'maximum number of requests in flight (default: 8)' }),
  ),
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'maximum number of requests per minute' })),
  tokensPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'maximum number of tokens per minute' })),
  retries: Type.Optional(
    Type.Integer({ minimum: 0, description: 'maximum number of retries of a failed request (default: 10)' }),
  ),
  requestSeconds: Type.Optional(
    Type.Number({ minimum: 1, maximum: 300, description: 'time limit of a request, seconds (default: 120)' }),
  ),
  answerSeconds: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      description: 'time limit of an answer with its retries, seconds (default: 900)',
    }),
  ),
  totalSeconds: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: 'send no requests after this time, seconds' }),
  ),
  priceInput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million input tokens' })),
  priceOutput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million output tokens' })),
  priceRequest: Type.Optional(Type.Number({ minimum: 0, description: 'price of an answered request' })),
  budget: Type.Optional(
    Type.Number({
      minimum: 0,
      description: 'send no requests that could cost more than this in total, at these prices',
    }),
  ),
  store: Type.Optional(
    Type.String({
      argument: 'folder',
      description: 'folder of the store of cached answers (default: RELFLOW_STORE, or a folder in your home)',
    }),
  ),
  tokenFile: Type.Optional(
    Type.String({
      argument: 'file',
      description: 'file with the access token (default: the variable RELFLOW_TOKEN or HF_TOKEN)',
    }),
  ),
});

export type EndpointOptions = Static<ReturnType<typeof Type.Object<typeof endpointOptions>>>;

/** Converts the options into those of the API. */
export function endpointPolicy(options: EndpointOptions) {
  const { priceInput: input, priceOutput: output, priceRequest: request, ...policy } = options;
  return {
    prices: given({ input, output, request }, ['input', 'output', 'request']),
    ...given(policy, Object.keys(endpointOptions).filter((key) => !key.startsWith('price')) as (keyof typeof policy)[]),
  };
}

/** Picks the options that are not undefined. */
export function given<T extends object, K extends keyof T>(
  options: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]))) as {
    [P in K]?: Exclude<T[P], undefined>;
  };
}
