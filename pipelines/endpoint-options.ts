import { type Static, Type } from '../src/index.js';

/** How an endpoint is asked, whatever is asked of it. Defaults are those of the API. */
export const endpointOptions = {
  requestsAtOnce: Type.Optional(Type.Integer({ minimum: 1, description: 'requests at once (default: 8)' })),
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many requests a minute' })),
  tokensPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many tokens a minute' })),
  retries: Type.Optional(
    Type.Integer({ minimum: 0, description: 'how often a failed request is sent again (default: 10)' }),
  ),
  requestSeconds: Type.Optional(
    Type.Number({ minimum: 1, maximum: 300, description: 'time limit of a request (default: 120)' }),
  ),
  answerSeconds: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: 'time limit of an answer, retries included (default: 900)' }),
  ),
  totalSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'ask no more after so many seconds' })),
  priceInput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million tokens of input' })),
  priceOutput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million tokens of output' })),
  priceRequest: Type.Optional(Type.Number({ minimum: 0, description: 'price of an answered request' })),
  budget: Type.Optional(Type.Number({ minimum: 0, description: 'ask no more once this is spent, at those prices' })),
  store: Type.Optional(
    Type.String({
      description: 'folder of the answers that were paid for (default: RELFLOW_STORE, or the user’s own)',
    }),
  ),
  tokenFile: Type.Optional(
    Type.String({ description: 'file of the access token (default: RELFLOW_TOKEN or HF_TOKEN of the environment)' }),
  ),
};

export type EndpointOptions = Static<ReturnType<typeof Type.Object<typeof endpointOptions>>>;

/** How an endpoint is asked, as the API takes it. */
export function endpointPolicy(options: EndpointOptions) {
  const { priceInput: input, priceOutput: output, priceRequest: request, ...policy } = options;
  return {
    prices: given({ input, output, request }, ['input', 'output', 'request']),
    ...given(policy, Object.keys(endpointOptions).filter((key) => !key.startsWith('price')) as (keyof typeof policy)[]),
  };
}

/** Those of the options that were given. */
export function given<T extends object, K extends keyof T>(
  options: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]))) as {
    [P in K]?: Exclude<T[P], undefined>;
  };
}
