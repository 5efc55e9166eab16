import { Option } from 'commander';
import { textParsers } from '../parser/text-parser.js';

/** Makes the option `--parser rules|neural`. */
export const parserOption = () =>
  new Option('--parser <name>', 'parser of the captions').choices(textParsers).default('neural');
