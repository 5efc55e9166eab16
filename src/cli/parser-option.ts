import { Option } from 'commander';
import { textParsers } from '../parser/text-parser.js';

/** `--parser rules|neural`. */
export const parserOption = () =>
  new Option('--parser <name>', 'which parser reads the captions').choices(textParsers).default('neural');
