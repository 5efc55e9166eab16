/** Makes the vocabularies of this folder from WordNet and `synsets.json`: `npx tsx scripts/build-vocabulary.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isAdjective, isNoun, nounLemma } from '../src/parser/language/lemma.js';
import { readWordNet, type Synset, type WordNet } from '../src/parser/language/lexicon/wordnet.js';
import { coco80Categories, objects365Categories } from '../src/vocabulary/categories.js';

/** What is kept by hand of one category. */
interface Entry {
  /** Meanings as `lemma#sense`; a meaning stands for everything more specific as well. */
  readonly synsets?: readonly string[];
  /** The same, but only of words that occur in WordNet's counted texts: for a meaning as wide as `person#1`. */
  readonly common?: readonly string[];
  /** Words that WordNet does not have, or of which the commonest meaning is another. */
  readonly also?: readonly string[];
  /**
   * Words that are no synonyms, and meanings (`lemma#sense`) that are cut off with everything more specific. Of two words of
   * which the second is a synonym, a misnomer: `electric chair`.
   */
  readonly not?: readonly string[];
}

interface CuratedSynsets {
  /** The categories that mean the same in both vocabularies; an entry of `coco80` or `objects365` comes first. */
  readonly shared: Readonly<Record<string, Entry>>;
  readonly coco80: Readonly<Record<string, Entry>>;
  readonly objects365: Readonly<Record<string, Entry>>;
  /** Phrases that name no category although their last word does, beside those found in WordNet. */
  readonly misnomers: readonly string[];
  /** Words that have no place in a data set, alone or as one word of a compound, and whole phrases. */
  readonly tasteless: readonly string[];
}

/** A meaning that a category claims, with everything more specific. */
interface SynsetDomain {
  readonly category: Category;
  readonly root: string;
  readonly onlyCommon: boolean;
  readonly meanings: ReadonlySet<string>;
}

/** A category on its way. */
interface Category {
  readonly name: string;
  readonly domains: SynsetDomain[];
  readonly also: ReadonlySet<string>;
  readonly not: ReadonlySet<string>;
}

/** @returns file name → content */
export function buildVocabularies(): ReadonlyMap<string, string> {
  const wordNet = readWordNet('noun');
  const handKept: CuratedSynsets = JSON.parse(
    readFileSync(new URL('vocabulary-synsets.json', import.meta.url), 'utf8'),
  );
  const build = (section: 'coco80' | 'objects365', names: readonly { name: string }[]) => {
    const categories = names.map(({ name }) => {
      const entry = handKept[section][name] ?? handKept.shared[name];
      if (!entry) throw new Error(`synsets.json: no entry for ${section} '${name}'`);
      return makeCategory(name, entry, wordNet);
    });
    return synonyms(categories, exclusionFilter(handKept.tasteless), wordNet);
  };
  const coco80 = build('coco80', coco80Categories);
  const objects365 = build('objects365', objects365Categories);
  return new Map([
    ['coco80.json', json(coco80)],
    ['objects365.json', json(objects365)],
    ['misnomers.txt', `${misnomers([...coco80, ...objects365], handKept.misnomers, wordNet).join('\n')}\n`],
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

/** @param text `lemma#sense`, sense counted from 1 */
function meaning(text: string, wordNet: WordNet): string {
  const [lemma, sense] = text.split('#');
  const id = wordNet.words.get(lemma!)?.senses[Number(sense) - 1];
  if (!id) throw new Error(`synsets.json: WordNet has no meaning ${text}`);
  return id;
}

/** The meanings and everything more specific. */
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

/** How WordNet's definitions mark words that have no place in a data set. */
const offensive = /slur|offensive|derogat|disparag|obscen|insult|contempt|pejorative/;

/** One person or thing; WordNet lists some generals as a kind of general, with their years, and people of legends. */
const isParticular = ({ isInstance, field, gloss }: Synset) =>
  isInstance ||
  (field === '18' && /\((?:\d{3,4}-|born (?:in )?|died in (?:AD )?)\d{2,4}\)|mythology|Testament/.test(gloss));

/** Words that no list should hold: tasteless ones, alone or within a compound, and names of one person or thing. */
const exclusionFilter = (tasteless: readonly string[]) => {
  const list = new Set(tasteless);
  return (word: string, meanings: readonly Synset[]) =>
    [word, ...word.split(/[ -]/)].some((part) => list.has(part)) ||
    meanings.some((synset) => offensive.test(synset.gloss) || isParticular(synset));
};

/** Category → its own name, then every other synonym in code-unit order. */
function synonyms(
  categories: readonly Category[],
  isUnfit: ReturnType<typeof exclusionFilter>,
  wordNet: WordNet,
): Map<Category, string[]> {
  const found = new Map(categories.map((category) => [category, new Set(category.also)]));
  const claimed = new Set(categories.flatMap(({ name, also }) => [name, ...also]));
  const domainsOf = new Map<string, SynsetDomain[]>();
  for (const domain of categories.flatMap(({ domains }) => domains))
    for (const id of domain.meanings) domainsOf.set(id, [...(domainsOf.get(id) ?? []), domain]);
  for (const [word, { senses, seen }] of wordNet.words) {
    // A word of several meanings counts by its commonest; where the order of meanings was never counted, not at all.
    const isClear = senses.length === 1 || seen > 0;
    // `white`, `modern` and `German` are people in WordNet; in a caption they are what something looks like.
    if (!isClear || isAdjective(word) || claimed.has(word) || !/^[a-z][a-z' -]+[a-z]$/.test(word)) continue;
    // The last word of a compound is a noun itself, except in Latin names.
    if (!wordNet.words.has(word.slice(word.lastIndexOf(' ') + 1))) continue;
    const first = senses[0]!;
    const synset = wordNet.synsets.get(first)!;
    if (isUnfit(word, [synset])) continue;
    for (const { category, onlyCommon } of mostSpecific(domainsOf.get(first) ?? []))
      if (!category.not.has(word) && (seen > 0 || !onlyCommon)) found.get(category)!.add(word);
  }
  const meaningsOf = (word: string) => wordNet.words.get(word)!.senses.map((id) => wordNet.synsets.get(id)!);
  const taken = new Set([...claimed, ...[...found.values()].flatMap((words) => [...words])]);
  for (const { word, senses, ends } of closedCompounds(wordNet)) {
    if (taken.has(word) || isUnfit(word, meaningsOf(word))) continue;
    for (const [category, words] of found)
      if (
        isKind(category, senses) &&
        !category.not.has(word) &&
        ends.some((end) => end === category.name || words.has(end))
      )
        words.add(word);
  }
  return new Map(
    [...found].map(([category, words]) => {
      const { name, also } = category;
      const kept = [...words].filter((word) => word !== name && (also.has(word) || !isAmbiguousJoined(word, words)));
      return [category, [name, ...kept.sort()]];
    }),
  );
}

/** Where `boat` and `sailboat` both claim a meaning, `sailboat` does, because it is a kind of boat itself. */
const mostSpecific = (domains: readonly SynsetDomain[]) =>
  domains.filter((wide) => !domains.some((narrow) => narrow.category !== wide.category && isInside(narrow, wide)));

const isInside = (narrow: SynsetDomain, wide: SynsetDomain) =>
  wide.meanings.has(narrow.root) && !narrow.meanings.has(wide.root);

/**
 * Words with what may be the second noun in them: `cup` in `teacup`, which counts as a measure before it is a cup, and so
 * would be no synonym; and the index stops at a compound that no category lists.
 */
function closedCompounds({ words }: WordNet) {
  const isCommon = (part: string) => (words.get(part)?.seen ?? 0) > 0;
  const endsOf = (word: string) =>
    Array.from({ length: Math.max(0, word.length - 5) }, (_, i) => i + 3)
      .filter((at) => isCommon(word.slice(0, at)))
      .map((at) => word.slice(at));
  return [...words]
    .filter(([word]) => /^[a-z]+$/.test(word))
    .map(([word, { senses }]) => ({ word, senses, ends: endsOf(word) }));
}

/** Any meaning will do, of people only the commonest. */
const isKind = ({ domains }: Category, senses: readonly string[]) =>
  domains.some(({ onlyCommon, meanings }) =>
    onlyCommon ? meanings.has(senses[0]!) : senses.some((id) => meanings.has(id)),
  );

/** `bluejacket` is a sailor, but as two words, which the index takes for the same, a jacket. */
function isAmbiguousJoined(word: string, words: ReadonlySet<string>): boolean {
  const colours = 'black|blue|brown|gold|gray|green|grey|pink|red|silver|white|yellow';
  const end = new RegExp(`^(?:${colours})([a-z]{3,})$`).exec(word)?.[1];
  return end !== undefined && isNoun(nounLemma(end)) && !words.has(end);
}

/** WordNet's fields of things to be seen: animals, artifacts, food, places, natural objects. */
const visibleFields = new Set(['05', '06', '13', '15', '17']);

/**
 * Nouns of several words whose last word is a synonym but which are something else: a sea lion is no lion, a cable car no
 * car. Where a last word was added by hand, any of its meanings will do. An adjective does not make a misnomer: the black
 * cat of a caption is a cat.
 */
function misnomers(
  vocabulary: readonly (readonly [Category, readonly string[]])[],
  handKept: readonly string[],
  wordNet: WordNet,
): string[] {
  const owners = new Map<string, Category[]>();
  for (const [category, words] of vocabulary)
    for (const word of words) owners.set(word, [...(owners.get(word) ?? []), category]);
  const found = new Set(handKept);
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

/** One category a line. */
const json = (vocabulary: ReadonlyMap<Category, readonly string[]>) =>
  `{\n${[...vocabulary].map(([{ name }, words]) => `${JSON.stringify(name)}: ${JSON.stringify(words)}`).join(',\n')}\n}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of buildVocabularies())
    writeFileSync(new URL(`../src/vocabulary/${file}`, import.meta.url), content);
