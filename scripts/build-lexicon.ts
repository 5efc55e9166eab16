/** Makes the word lists of this folder from WordNet: `npx tsx scripts/build-lexicon.ts`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PartOfSpeech, readWordNet } from '../src/parser/language/lexicon/wordnet.js';

/** WordNet lists some of these as nouns (`at`, a coin of Laos), verbs (`up`) or adjectives (`in`): no caption means that. */
const functionWords = new Set(
  `a an and are as at be but by did do does for from had has have he her here his i if in is it its me my no nor not of
  off on or our out over so than that the their them there these they this those to under up us was we were what when
  where who with you your`.split(/\s+/),
);
/** …but these verbs are real verbs too. */
const functionVerbs = new Set(['be', 'do', 'have']);

/** @returns file name → content: sorted words, one a line */
export function buildLexicon(): ReadonlyMap<string, string> {
  const nouns = kinds('noun');
  return new Map([
    ['nouns.txt', list(nouns.filter((word) => isWord(word) && !functionWords.has(word)))],
    ['compounds.txt', list(nouns.filter(isCompound))],
    ['verbs.txt', list(kinds('verb').filter((w) => isWord(w) && (!functionWords.has(w) || functionVerbs.has(w))))],
    ['adjectives.txt', list(kinds('adj').filter((word) => isWord(word) && !functionWords.has(word)))],
  ]);
}

/** Every lower-case word that names a kind rather than only particular things, people or places. */
function kinds(partOfSpeech: PartOfSpeech): string[] {
  const { words, synsets } = readWordNet(partOfSpeech);
  return [...words].filter(([, { senses }]) => senses.some((id) => !synsets.get(id)!.isInstance)).map(([word]) => word);
}

const isWord = (word: string) => /^[a-z][a-z'-]*[a-z]$/.test(word);

/** Two words; biological names (`genus canis`, `family felidae`) are left out. */
const isCompound = (word: string) =>
  /^[a-z][a-z'-]+ [a-z][a-z'-]+$/.test(word) && !/^(genus|family|order|class|phylum|subfamily|suborder) /.test(word);

/** Code-unit order, so that the files are the same on every machine. */
const list = (words: readonly string[]) => `${[...new Set(words)].sort().join('\n')}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of buildLexicon())
    writeFileSync(new URL(`../src/parser/language/lexicon/${file}`, import.meta.url), content);
