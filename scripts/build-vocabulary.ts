/** Writes the vocabularies of `src/vocabulary` from WordNet and `vocabulary-synsets.json`: `npx tsx scripts/build-vocabulary.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isAdjective, isNoun, nounLemma } from '../src/parser/language/lemma.js';
import { readWordNet, type Synset, type WordNet } from '../src/parser/language/lexicon/wordnet.js';
import { coco80Categories, objects365Categories } from '../src/vocabulary/categories.js';

/** The choices for one category, made by hand. */
interface Entry {
  /** Meanings as `lemma#sense`; a meaning includes everything more specific. */
  readonly synsets?: readonly string[];
  /** Meanings of which only words count that occur in WordNet's counted texts, for a meaning as general as `person#1`. */
  readonly common?: readonly string[];
  /** Words that WordNet lacks, or whose most frequent meaning is another. */
  readonly also?: readonly string[];
  /**
   * Words that are not synonyms, and meanings (`lemma#sense`) that are excluded with everything more specific. A phrase of two
   * words whose second word is a synonym becomes a misnomer: `electric chair`.
   */
  readonly not?: readonly string[];
}

/** The content of `vocabulary-synsets.json`. */
interface CuratedSynsets {
  /** Categories with the same meaning in both vocabularies; an entry of `coco80` or `objects365` takes precedence. */
  readonly shared: Readonly<Record<string, Entry>>;
  readonly coco80: Readonly<Record<string, Entry>>;
  readonly objects365: Readonly<Record<string, Entry>>;
  /** Phrases that name no category although their last word does, in addition to those found in WordNet. */
  readonly misnomers: readonly string[];
  /** Words that are excluded from vocabularies, alone and as a part of a compound, and phrases. */
  readonly tasteless: readonly string[];
}

/** A meaning that a category claims, with all more specific meanings. */
interface SynsetDomain {
  readonly category: Category;
  readonly root: string;
  readonly onlyCommon: boolean;
  readonly meanings: ReadonlySet<string>;
}

/** A category while its list is built. */
interface Category {
  readonly name: string;
  readonly domains: SynsetDomain[];
  readonly also: ReadonlySet<string>;
  readonly not: ReadonlySet<string>;
}

/** Returns file name → content. */
export function buildVocabularies(): ReadonlyMap<string, string> {
  const wordNet = readWordNet('noun');
  const curated: CuratedSynsets = JSON.parse(readFileSync(new URL('vocabulary-synsets.json', import.meta.url), 'utf8'));
  const build = (section: 'coco80' | 'objects365', names: readonly { name: string }[]) => {
    const categories = names.map(({ name }) => {
      const entry = curated[section][name] ?? curated.shared[name];
      if (!entry)
        throw new Error(
          `vocabulary-synsets.json: no entry for '${name}' of ${section}; add one to '${section}' or 'shared'`,
        );
      return makeCategory(name, entry, wordNet);
    });
    return synonyms(categories, exclusionFilter(curated.tasteless), wordNet);
  };
  const coco80 = build('coco80', coco80Categories);
  const objects365 = build('objects365', objects365Categories);
  return new Map([
    ['coco80.json', json(coco80)],
    ['objects365.json', json(objects365)],
    ['misnomers.txt', `${misnomers([...coco80, ...objects365], curated.misnomers, wordNet).join('\n')}\n`],
  ]);
}

function makeCategory(name: string, { synsets = [], common = [], also = [], not = [] }: Entry, wordNet: WordNet) {
  const isMeaning = (text: string) => text.includes('#');
  const cut = new Set(not.filter(isMeaning).map((text) => meaning(text, wordNet)));
  const category: Category = {
    name,
    domains: [],
    also: new Set(also),
    not: new Set(not.filter((text) => !isMeaning(text))),
  };
  const claim = (text: string, onlyCommon: boolean) => {
    const root = meaning(text, wordNet);
    category.domains.push({ category, root, onlyCommon, meanings: descendants([root], cut, wordNet) });
  };
  for (const text of synsets) claim(text, false);
  for (const text of common) claim(text, true);
  return category;
}

/**
 * Returns the synset id of a meaning.
 * @param text `lemma#sense`, the sense counted from 1
 */
function meaning(text: string, wordNet: WordNet): string {
  const [lemma, sense] = text.split('#');
  const id = wordNet.words.get(lemma!)?.senses[Number(sense) - 1];
  if (!id) throw new Error(`vocabulary-synsets.json: WordNet has no meaning '${text}'`);
  return id;
}

/** Returns the meanings and everything more specific, without what is cut. */
function descendants(roots: readonly string[], cut: ReadonlySet<string>, wordNet: WordNet): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || cut.has(id)) continue;
    found.add(id);
    open.push(...wordNet.synsets.get(id)!.hyponyms);
  }
  return found;
}

/** Terms with which WordNet's definitions mark offensive words. */
const offensive = /slur|offensive|derogat|disparag|obscen|insult|contempt|pejorative/;

/** Checks for a particular person or thing. WordNet lists some people as kinds, with their years of life or a legend. */
const isParticular = ({ isInstance, field, gloss }: Synset) =>
  isInstance ||
  (field === '18' && /\((?:\d{3,4}-|born (?:in )?|died in (?:AD )?)\d{2,4}\)|mythology|Testament/.test(gloss));

/** Returns a check for words to exclude: tasteless ones, alone or within a compound, offensive ones, and names of particular things. */
export const exclusionFilter = (tasteless: readonly string[]) => {
  const list = new Set(tasteless);
  return (word: string, meanings: readonly Synset[]) =>
    [word, ...word.split(/[ -]/)].some((part) => list.has(part)) ||
    meanings.some((synset) => offensive.test(synset.gloss) || isParticular(synset));
};

/** Returns category → its own name, then every other synonym in code-unit order. */
function synonyms(
  categories: readonly Category[],
  isExcluded: ReturnType<typeof exclusionFilter>,
  wordNet: WordNet,
): Map<Category, string[]> {
  const found = new Map(categories.map((category) => [category, new Set(category.also)]));
  const claimed = new Set(categories.flatMap(({ name, also }) => [name, ...also]));
  const domainsOf = new Map<string, SynsetDomain[]>();
  for (const domain of categories.flatMap(({ domains }) => domains))
    for (const id of domain.meanings) {
      const claiming = domainsOf.get(id);
      if (claiming) claiming.push(domain);
      else domainsOf.set(id, [domain]);
    }
  for (const [word, { senses, seen }] of wordNet.words) {
    // A word with several meanings counts by its most frequent one, and not at all if WordNet has no counts for it.
    const isClear = senses.length === 1 || seen > 0;
    // `white`, `modern` and `German` are people in WordNet, but adjectives in captions.
    if (!isClear || isAdjective(word) || claimed.has(word) || !/^[a-z][a-z' -]+[a-z]$/.test(word)) continue;
    // The last word of a compound is a noun itself, except in Latin names.
    if (!wordNet.words.has(word.slice(word.lastIndexOf(' ') + 1))) continue;
    const first = senses[0]!;
    const synset = wordNet.synsets.get(first)!;
    if (isExcluded(word, [synset])) continue;
    for (const { category, onlyCommon } of mostSpecific(domainsOf.get(first) ?? []))
      if (!category.not.has(word) && (seen > 0 || !onlyCommon)) found.get(category)!.add(word);
  }
  const meaningsOf = (word: string) => wordNet.words.get(word)!.senses.map((id) => wordNet.synsets.get(id)!);
  const taken = new Set([...claimed, ...[...found.values()].flatMap((words) => [...words])]);
  for (const { word, senses, ends } of closedCompounds(wordNet)) {
    if (taken.has(word)) continue;
    const owners = [...found].filter(
      ([category, words]) =>
        ends.some((end) => end === category.name || words.has(end)) &&
        !category.not.has(word) &&
        isKind(category, senses),
    );
    if (owners.length === 0 || isExcluded(word, meaningsOf(word))) continue;
    for (const [, words] of owners) words.add(word);
  }
  return new Map(
    [...found].map(([category, words]) => {
      const { name, also } = category;
      const kept = [...words].filter((word) => word !== name && (also.has(word) || !isAmbiguousJoined(word, words)));
      return [category, [name, ...kept.sort()]];
    }),
  );
}

/** Drops domains that contain another claiming category: of `boat` and `sailboat`, only `sailboat` keeps a meaning of both. */
const mostSpecific = (domains: readonly SynsetDomain[]) =>
  domains.filter((wide) => !domains.some((narrow) => narrow.category !== wide.category && isInside(narrow, wide)));

const isInside = (narrow: SynsetDomain, wide: SynsetDomain) =>
  wide.meanings.has(narrow.root) && !narrow.meanings.has(wide.root);

/**
 * Returns words that may be compounds with the possible second nouns in them: `cup` in `teacup`. By its most frequent meaning,
 * a measure, `teacup` would not be a synonym, and the index stops at a compound that no category lists.
 */
function closedCompounds({ words }: WordNet) {
  const isCommon = (part: string) => (words.get(part)?.seen ?? 0) > 0;
  const endsOf = (word: string) =>
    Array.from({ length: Math.max(0, word.length - 5) }, (_, i) => i + 3)
      .filter((at) => isCommon(word.slice(0, at)))
      .map((at) => word.slice(at));
  return [...words]
    .filter(([word]) => /^[a-z]+$/.test(word))
    .map(([word, { senses }]) => ({ word, senses, ends: endsOf(word) }))
    .filter(({ ends }) => ends.length > 0);
}

/** Checks whether any meaning belongs to the category; for people only the most frequent counts. */
const isKind = ({ domains }: Category, senses: readonly string[]) =>
  domains.some(({ onlyCommon, meanings }) =>
    onlyCommon ? meanings.has(senses[0]!) : senses.some((id) => meanings.has(id)),
  );

/** Checks for a color and a noun: `bluejacket` is a sailor, but as two words, which the index treats alike, a jacket. */
function isAmbiguousJoined(word: string, words: ReadonlySet<string>): boolean {
  const colors = 'black|blue|brown|gold|gray|green|grey|pink|red|silver|white|yellow';
  const end = new RegExp(`^(?:${colors})([a-z]{3,})$`).exec(word)?.[1];
  return end !== undefined && isNoun(nounLemma(end)) && !words.has(end);
}

/** WordNet's fields of visible things: animals, artifacts, food, places, natural objects. */
const visibleFields = new Set(['05', '06', '13', '15', '17']);

/**
 * Returns nouns of several words whose last word is a synonym but which are something else: a sea lion is not a lion, a cable
 * car is not a car. If the last word was added by hand, any of its meanings counts. A phrase that starts with an adjective is
 * never a misnomer: the black cat of a caption is a cat.
 */
function misnomers(
  vocabulary: readonly (readonly [Category, readonly string[]])[],
  curated: readonly string[],
  wordNet: WordNet,
): string[] {
  const owners = new Map<string, Category[]>();
  for (const [category, words] of vocabulary)
    for (const word of words) owners.set(word, [...(owners.get(word) ?? []), category]);
  const found = new Set(curated);
  for (const [phrase, { senses }] of wordNet.words) {
    const [start, last] = [phrase.slice(0, phrase.indexOf(' ')), phrase.slice(phrase.lastIndexOf(' ') + 1)];
    if (last === phrase || owners.has(phrase) || !owners.has(last) || start === 'genus' || isAdjective(start)) continue;
    const { isInstance, field } = wordNet.synsets.get(senses[0]!)!;
    if (isInstance || !visibleFields.has(field)) continue;
    const meansLast = descendants(wordNet.words.get(last)?.senses ?? [], new Set(), wordNet);
    const isKindOf = ({ domains, also }: Category) =>
      domains.some(({ meanings }) => senses.some((id) => meanings.has(id))) ||
      (also.has(last) && senses.some((id) => meansLast.has(id)));
    if (!owners.get(last)!.some(isKindOf)) found.add(phrase);
  }
  for (const [{ not }, words] of vocabulary)
    for (const phrase of not) if (words.includes(phrase.slice(phrase.indexOf(' ') + 1))) found.add(phrase);
  return [...found].sort();
}

/** Formats a vocabulary with one category per line. */
const json = (vocabulary: ReadonlyMap<Category, readonly string[]>) =>
  `{\n${[...vocabulary].map(([{ name }, words]) => `${JSON.stringify(name)}: ${JSON.stringify(words)}`).join(',\n')}\n}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of buildVocabularies())
    writeFileSync(new URL(`../src/vocabulary/${file}`, import.meta.url), content);
