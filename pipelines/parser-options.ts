import { factualT5, OptionError, type Static, type TextParser, Type, threadedParser } from '../src/index.js';
import { DEFAULT_MIN_CONFIDENCE } from '../src/parser/neural/neural-parser.js';
import { textParsers } from '../src/parser/text-parser.js';
import { type EndpointOptions, endpointPolicy, given } from './endpoint-options.js';

/** Options of every pipeline that reads captions. */
export const parserOptions = {
  parser: Type.String({ default: 'neural', description: 'what reads the captions: neural, rules, or factual-t5' }),
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
        'threads that read captions beside the first one (default: one less than there are processors, at most 8)',
    }),
  ),
  parserModel: Type.Optional(Type.String({ description: 'factual-t5: its model on Hugging Face' })),
  parserEndpointUrl: Type.Optional(Type.String({ description: 'factual-t5: its server' })),
};

type ParserOptions = Static<ReturnType<typeof Type.Object<typeof parserOptions>>> & EndpointOptions;

/**
 * The parser that the options name.
 * @throws OptionError where there is none, or options do not fit together
 */
export function parserOf(where: string, options: ParserOptions): TextParser {
  const { parser, minConfidence, parserModel: model, parserEndpointUrl: endpointUrl } = options;
  if (parser === 'factual-t5') {
    return factualT5({ ...endpointPolicy(options), ...given({ model, endpointUrl }, ['model', 'endpointUrl']) });
  }
  if (model !== undefined || endpointUrl !== undefined) {
    const flag = model === undefined ? '--parser-endpoint-url' : '--parser-model';
    throw new OptionError(where, `${flag} is of no use without --parser factual-t5`);
  }
  if (!(textParsers as readonly string[]).includes(parser)) {
    throw new OptionError(
      'parser',
      `unknown parser '${parser}', expected one of ${textParsers.join(', ')}, factual-t5`,
    );
  }
  return threadedParser(parser, { minConfidence }, options.parserThreads);
}
