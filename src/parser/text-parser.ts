import { OptionError } from '../errors.js';
import type { TextParser } from '../records/ports.js';
import { type NeuralParserOptions, neuralParser } from './neural/neural-parser.js';
import { ruleParser } from './rules/rule-parser.js';

const factories = { rules: () => ruleParser(), neural: neuralParser } as const;

/** Names of the parsers that come with relflow. */
export const textParsers = Object.keys(factories) as readonly (keyof typeof factories)[];

/**
 * Returns a parser by its name.
 * @param options of the neural parser; the rule parser has none
 * @throws OptionError for an unknown name
 */
export function textParser(name: string, options: NeuralParserOptions = {}): TextParser {
  if (!Object.hasOwn(factories, name))
    throw new OptionError('parser', `unknown parser '${name}', expected one of ${textParsers.join(', ')}`);
  return factories[name as keyof typeof factories](options);
}
