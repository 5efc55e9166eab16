import type { WordClass } from './word-class.js';
import { wordSet } from './word-set.js';

/** Returns the class of a closed-class word; undefined for words of the open classes. */
export const closedClass = (word: string): WordClass | undefined =>
  closedClasses.get(word) ?? (/^\d/.test(word) ? 'number' : undefined);

/** Determiners that say whose a thing is. */
export const possessives = wordSet('his her its their');
/** Determiners that predicates leave out. */
export const articles: ReadonlySet<string> = new Set(['the', 'a', 'an', ...possessives]);

export const colors = wordSet(`amber aqua beige black blond blonde blue bronze brown burgundy colorful crimson gold
  golden gray green grey khaki lavender maroon multi-colored multicolored orange pink purple red silver tan teal turquoise
  violet white yellow`);

/** Past participles that do not end in `-ed` or `-en`, as far as captions use them. */
export const irregularParticiples =
  wordSet(`bent bound bought built caught clad cut drawn dug fed felt flown found grown
  held hung kept knit laid led left lit made met parked put read sat seated set shot shown shut slid sold spent split
  spread strung stuck sunk swung taught thrown told torn upset wet worn wound`);

/** Nouns whose form is also a verb's gerund. */
export const ingNouns = wordSet(`awning bedding building ceiling clothing crossing drawing dressing evening frosting
  icing lighting morning opening outing painting parking pudding railing ring seating setting siding sibling stuffing
  swing topping wedding wing`);

const closedClasses: ReadonlyMap<string, WordClass> = new Map([
  ...tagged(
    'determiner',
    `a all an another any both each either every her his its my neither no our some such that the their these this those
    what whose your`,
  ),
  ...tagged(
    'number',
    `two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty fifty
    hundred several many few multiple various numerous`,
  ),
  ...tagged('be', 'am is are was were be been being will would can could may might must should do does did'),
  ...tagged(
    'pronoun',
    `anything everything he him himself herself hers i it itself me nothing one others she something them themselves
    they us we you`,
  ),
  ...tagged('relative', 'who whom which'),
  ...tagged('while', 'although because but if since so than though when where while whilst'),
  ...tagged('and', 'and nor or plus'),
  ...tagged('comma', ','),
  ...tagged('adjective', 'asleep awake ready'),
  ...tagged(
    'adverb',
    `almost also apart away directly downstairs here indoors just nearby never not outdoors quite right still there together
    too upright upside upstairs very`,
  ),
]);

function tagged(tag: WordClass, words: string): [string, WordClass][] {
  return words.split(/\s+/).map((word) => [word, tag]);
}
