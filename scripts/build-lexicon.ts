/** Writes the word lists of `src/parser/language/lexicon` from WordNet: `npx tsx scripts/build-lexicon.ts`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PartOfSpeech, readWordNet } from '../src/parser/language/lexicon/wordnet.js';

/** WordNet lists some of these as nouns (`at`, a coin of Laos), verbs (`up`) or adjectives (`in`), which captions never mean. */
const functionWords = new Set(
  `a an and are as at be but by did do does for from had has have he her here his i if in is it its me my no nor not of
  off on or our out over so than that the their them there these they this those to under up us was we were what when
  where who with you your`.split(/\s+/),
);
/** Function words that are also verbs in captions. */
const functionVerbs = new Set(['be', 'do', 'have']);

/** Returns file name → content: sorted words, one per line. */
export function buildLexicon(): ReadonlyMap<string, string> {
  const nouns = wordsOf('noun');
  return new Map([
    ['nouns.txt', list(nouns.filter((word) => isWord(word) && !functionWords.has(word)))],
    ['people.txt', list(people().filter((word) => isWord(word) && !functionWords.has(word)))],
    ['compounds.txt', list(nouns.filter(isCompound))],
    ['verbs.txt', list(wordsOf('verb').filter((w) => isWord(w) && (!functionWords.has(w) || functionVerbs.has(w))))],
    ['adjectives.txt', list(wordsOf('adj').filter((word) => isWord(word) && !functionWords.has(word)))],
  ]);
}

/** Lexicographer files of WordNet, lexnames(5): persons, and animals, artifacts, food, natural objects and plants. */
const PERSON = '18';
const THINGS = new Set(['05', '06', '13', '17', '20']);

/** Returns the words whose first meaning is a person and that mean no thing: a planter may be a pot, a toaster a machine. */
function people(): string[] {
  const { words, synsets } = readWordNet('noun');
  return [...words]
    .filter(([, { senses }]) => {
      const [first, ...others] = senses.map((id) => synsets.get(id)!);
      return first!.field === PERSON && !first!.isInstance && !others.some(({ field }) => THINGS.has(field));
    })
    .map(([word]) => word);
}

/** Returns every lower-case word that names a kind, rather than only particular things, people or places. */
function wordsOf(partOfSpeech: PartOfSpeech): string[] {
  const { words, synsets } = readWordNet(partOfSpeech);
  return [...words].filter(([, { senses }]) => senses.some((id) => !synsets.get(id)!.isInstance)).map(([word]) => word);
}

const isWord = (word: string) => /^[a-z][a-z'-]*[a-z]$/.test(word);

/** Checks for a noun of two words that is not a biological name (`genus canis`, `family felidae`). */
const isCompound = (word: string) =>
  /^[a-z][a-z'-]+ [a-z][a-z'-]+$/.test(word) && !/^(genus|family|order|class|phylum|subfamily|suborder) /.test(word);

/** Sorts by code unit, so that the files are the same on every machine. */
const list = (words: readonly string[]) => `${[...new Set(words)].sort().join('\n')}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of buildLexicon())
    writeFileSync(new URL(`../src/parser/language/lexicon/${file}`, import.meta.url), content);
