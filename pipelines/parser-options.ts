import { factualT5, OptionError, type Static, type TextParser, Type, threadedParser } from '../src/index.js';
import { DEFAULT_MIN_CONFIDENCE } from '../src/parser/neural/neural-parser.js';
import { textParsers } from '../src/parser/text-parser.js';
import { type EndpointOptions, endpointPolicy, given } from './endpoint-options.js';

const FACTUAL_T5 = 'factual-t5';

/** Options of every pipeline that parses captions. */
export const parserOptions = {
  parser: Type.String({ default: 'neural', enum: [...textParsers, FACTUAL_T5], description: 'parser of the captions' }),
  minConfidence: Type.Number({
    default: DEFAULT_MIN_CONFIDENCE,
    minimum: 0,
    maximum: 1,
    description: 'drop relations below this confidence of the neural parser',
  }),
  parserThreads: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 64,
      description:
        'parser threads besides the main thread (default: one less than the number of processors, at most 8)',
    }),
  ),
  parserModel: Type.Optional(Type.String({ argument: 'name', description: 'factual-t5: model on Hugging Face' })),
  parserEndpointUrl: Type.Optional(Type.String({ argument: 'url', description: 'factual-t5: address of the server' })),
};

type ParserOptions = Static<ReturnType<typeof Type.Object<typeof parserOptions>>> & EndpointOptions;

/**
 * Makes the parser that the options name.
 *
 * @throws OptionError when the parser is unknown or options contradict each other
 */
export function parserOf(where: string, options: ParserOptions): TextParser {
  const { parser, minConfidence, parserModel: model, parserEndpointUrl: endpointUrl } = options;
  if (parser === FACTUAL_T5) {
    return factualT5({ ...endpointPolicy(options), ...given({ model, endpointUrl }, ['model', 'endpointUrl']) });
  }
  if (model !== undefined || endpointUrl !== undefined) {
    const flag = model === undefined ? '--parser-endpoint-url' : '--parser-model';
    throw new OptionError(where, `${flag} has no effect without --parser factual-t5`);
  }
  if (!(textParsers as readonly string[]).includes(parser)) {
    throw new OptionError(
      'parser',
      `unknown parser '${parser}', expected one of ${textParsers.join(', ')}, factual-t5`,
    );
  }
  return threadedParser(parser, { minConfidence }, options.parserThreads);
}
