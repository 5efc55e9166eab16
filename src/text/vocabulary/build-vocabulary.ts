/** Makes the vocabularies of this folder from WordNet and `synsets.json`: `npx tsx src/text/vocabulary/build-vocabulary.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isAdjective, isNoun, nounLemma } from '../lemma.js';
import { readWordNet, type WordNet } from '../lexicon/wordnet.js';
import { coco80Categories, objects365Categories } from './categories.js';

/** What is kept by hand of one category. */
interface Entry {
  /** Meanings as `lemma#sense`; a meaning stands for everything more specific as well. */
  readonly synsets?: readonly string[];
  /** The same, but only of words that occur in WordNet's counted texts: for a meaning as wide as `person#1`. */
  readonly common?: readonly string[];
  /** Words that WordNet does not have, or of which the commonest meaning is another. */
  readonly also?: readonly string[];
  /** Words that are no synonyms, and meanings (`lemma#sense`) that are cut off with everything more specific. */
  readonly not?: readonly string[];
}

interface HandKept {
  /** The categories that mean the same in both vocabularies; an entry of `coco80` or `objects365` comes first. */
  readonly shared: Readonly<Record<string, Entry>>;
  readonly coco80: Readonly<Record<string, Entry>>;
  readonly objects365: Readonly<Record<string, Entry>>;
  /** Phrases that name no category although their last word does, beside those found in WordNet. */
  readonly misnomers: readonly string[];
}

/** A category on its way: its entry, and every meaning that falls under it. */
interface Category {
  readonly name: string;
  readonly roots: readonly string[];
  readonly meanings: ReadonlySet<string>;
  /** Those of the meanings of which only common words count. */
  readonly common: ReadonlySet<string>;
  readonly also: ReadonlySet<string>;
  readonly not: ReadonlySet<string>;
}

/** @returns file name → content */
export function buildVocabularies(): ReadonlyMap<string, string> {
  const wordNet = readWordNet('noun');
  const handKept: HandKept = JSON.parse(readFileSync(new URL('synsets.json', import.meta.url), 'utf8'));
  const define = (section: 'coco80' | 'objects365', names: readonly string[]) =>
    names.map((name) => {
      const entry = handKept[section][name] ?? handKept.shared[name];
      if (!entry) throw new Error(`synsets.json: no entry for ${section} '${name}'`);
      return makeCategory(name, entry, wordNet);
    });
  const coco80 = define(
    'coco80',
    coco80Categories.map(({ name }) => name),
  );
  const objects365 = define(
    'objects365',
    objects365Categories.map(({ name }) => name),
  );
  return new Map([
    ['coco80.json', json(synonyms(coco80, wordNet))],
    ['objects365.json', json(synonyms(objects365, wordNet))],
    ['misnomers.txt', `${misnomers([coco80, objects365], handKept, wordNet).join('\n')}\n`],
  ]);
}

function makeCategory(name: string, entry: Entry, wordNet: WordNet): Category {
  const { synsets = [], common = [], also = [], not = [] } = entry;
  const isMeaning = (text: string) => text.includes('#');
  const cut = new Set(not.filter(isMeaning).map((text) => meaning(text, wordNet)));
  const roots = [...synsets, ...common].map((text) => meaning(text, wordNet));
  const full = under(roots.slice(0, synsets.length), cut, wordNet);
  const meanings = under(roots, cut, wordNet);
  return {
    name,
    roots,
    meanings,
    common: new Set([...meanings].filter((id) => !full.has(id))),
    also: new Set(also),
    not: new Set(not.filter((text) => !isMeaning(text))),
  };
}

/** @param text `lemma#sense`, sense counted from 1 */
function meaning(text: string, wordNet: WordNet): string {
  const [lemma, sense] = text.split('#');
  const id = wordNet.words.get(lemma!)?.senses[Number(sense) - 1];
  if (!id) throw new Error(`synsets.json: WordNet has no meaning ${text}`);
  return id;
}

/** The meanings and everything more specific. */
function under(roots: readonly string[], cut: ReadonlySet<string>, wordNet: WordNet): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || cut.has(id)) continue;
    found.add(id);
    open.push(...wordNet.synsets.get(id)!.hyponyms);
  }
  return found;
}

/** How WordNet's definitions mark words that have no place in a data set. */
const offensive = /slur|offensive|derogat|disparag|obscen|insult|contempt|pejorative/;

/** Category name → its own name, then every other synonym in code-unit order. */
function synonyms(categories: readonly Category[], wordNet: WordNet): Map<string, string[]> {
  const found = new Map(categories.map(({ name, also }) => [name, new Set(also)]));
  const claimed = new Set(categories.flatMap(({ name, also }) => [name, ...also]));
  for (const [word, { senses, seen }] of wordNet.words) {
    // A word of several meanings counts by its commonest; where the order of meanings was never counted, not at all.
    const isClear = senses.length === 1 || seen > 0;
    // `white`, `modern` and `German` are people in WordNet; in a caption they are what something looks like.
    if (!isClear || isAdjective(word) || claimed.has(word) || !/^[a-z][a-z' -]+[a-z]$/.test(word)) continue;
    const [first] = senses;
    if (offensive.test(wordNet.synsets.get(first!)!.gloss)) continue;
    for (const { name, common, not } of mostSpecific(first!, categories))
      if (!not.has(word) && (seen > 0 || !common.has(first!))) found.get(name)!.add(word);
  }
  return new Map(
    categories.map(({ name, also }) => {
      const words = found.get(name)!;
      const kept = [...words].filter((word) => word !== name && (also.has(word) || !isAmbiguousJoined(word, words)));
      return [name, [name, ...kept.sort()]];
    }),
  );
}

/** `bluejacket` is a sailor, but as two words, which the index takes for the same, a jacket. */
function isAmbiguousJoined(word: string, words: ReadonlySet<string>): boolean {
  const [, end] =
    /^(?:black|blue|brown|gold|gray|green|grey|pink|red|silver|white|yellow)([a-z]{3,})$/.exec(word) ?? [];
  return end !== undefined && isNoun(nounLemma(end)) && !words.has(end);
}

/** A zebra falls under `horse` too where that is meant widely, but a category of its own decides. */
function mostSpecific(id: string, categories: readonly Category[]): Category[] {
  const owners = categories.filter(({ meanings }) => meanings.has(id));
  return owners.filter((owner) => !owners.some((other) => other !== owner && isInside(other, owner, id)));
}

/** Whether `inner` reaches the meaning from a root that lies within `outer`, and not the other way round. */
const isInside = (inner: Category, outer: Category, id: string) =>
  !outer.roots.includes(id) &&
  inner.roots.some((root) => outer.meanings.has(root) && !outer.roots.includes(root)) &&
  !outer.roots.some((root) => inner.meanings.has(root));

/** WordNet's fields of things to be seen: animals, artifacts, food, places, natural objects. */
const visibleFields = new Set(['05', '06', '13', '15', '17']);

/**
 * Nouns of several words whose last word is a synonym but which are something else: a sea lion is no lion, a cable car no
 * car. Where a last word was added by hand, any of its meanings will do. An adjective does not make a misnomer: the black
 * cat of a caption is a cat.
 */
function misnomers(vocabularies: readonly Category[][], handKept: HandKept, wordNet: WordNet): string[] {
  const owners = new Map<string, Category[]>();
  for (const categories of vocabularies) {
    const byName = new Map(categories.map((category) => [category.name, category]));
    for (const [name, words] of synonyms(categories, wordNet))
      for (const word of words) owners.set(word, [...(owners.get(word) ?? []), byName.get(name)!]);
  }
  const belongs = (phrase: string, last: string) => {
    const means = wordNet.words.get(phrase)!.senses;
    const lastMeans = under(wordNet.words.get(last)?.senses ?? [], new Set(), wordNet);
    return owners
      .get(last)!
      .some(({ also, meanings }) => means.some((id) => meanings.has(id) || (also.has(last) && lastMeans.has(id))));
  };
  const found = new Set(handKept.misnomers);
  for (const [phrase, { senses }] of wordNet.words) {
    const last = phrase.slice(phrase.lastIndexOf(' ') + 1);
    if (last === phrase || owners.has(phrase) || !owners.has(last)) continue;
    const start = phrase.slice(0, phrase.indexOf(' '));
    if (start === 'genus' || isAdjective(start)) continue;
    const { isInstance, field } = wordNet.synsets.get(senses[0]!)!;
    if (!isInstance && visibleFields.has(field) && !belongs(phrase, last)) found.add(phrase);
  }
  for (const category of vocabularies.flat())
    for (const phrase of category.not) if (phrase.includes(' ')) found.add(phrase);
  return [...found].sort();
}

/** One category a line. */
const json = (vocabulary: ReadonlyMap<string, readonly string[]>) =>
  `{\n${[...vocabulary].map(([name, words]) => `${JSON.stringify(name)}: ${JSON.stringify(words)}`).join(',\n')}\n}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of buildVocabularies()) writeFileSync(new URL(file, import.meta.url), content);
