import { OptionError } from '../errors.js';
import type { TextParser } from '../records/ports.js';
import { type NeuralParserOptions, neuralParser } from './neural/neural-parser.js';
import { ruleParser } from './rules/rule-parser.js';

const makers = { rules: () => ruleParser(), learned: neuralParser } as const;

/** Names of the parsers that come with relflow. */
export const textParsers = Object.keys(makers) as readonly (keyof typeof makers)[];

/**
 * A parser by its name.
 * @param options of the learned parser; the rules have no confidence
 * @throws OptionError for a name that none has
 */
export function textParser(name: string, options: NeuralParserOptions = {}): TextParser {
  if (!Object.hasOwn(makers, name))
    throw new OptionError('parser', `unknown parser '${name}', expected one of ${textParsers.join(', ')}`);
  return makers[name as keyof typeof makers](options);
}
