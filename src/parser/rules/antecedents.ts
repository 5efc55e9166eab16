import type { Coreference } from '../../records/text-graph.js';
import { isAbstract, isAnimate } from '../language/noun-classes.js';
import { partNouns } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import { wordSet } from '../language/word-set.js';
import { isLocativeAttachment } from './attachment.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group, OriginOf } from './origin.js';
import { pronounAgrees } from './pronoun-agrees.js';
import { isSameKind } from './same-kind.js';

/** Words that stand for phrases read before. */
export interface Mention {
  readonly start: number;
  readonly end: number;
  readonly antecedents: Group;
  readonly rule: Coreference['rule'];
}

/** Where a pronoun stands. */
interface PronounContext {
  /** The subjects of its predicate, which it does not mean. */
  readonly subjects: Group;
  /** The subject of its clause, and before it the subject's owner. */
  readonly subject: readonly Group[];
  /** Whether it is an object or an owner. */
  readonly isObject: boolean;
  /** Whether something is on it, in it or from it. */
  readonly isContainer: boolean;
  /** Whether something is at its side. */
  readonly isBeside?: boolean;
  /** Groups that it means before all others if it agrees with them. */
  readonly likely: readonly Group[];
  readonly originOf: OriginOf;
  /** Whether it is a person or an animal. */
  readonly isAlive?: boolean;
}

/** Phrases that a mention looks back to, at most: a long text is read in linear time. */
const REACH = 40;

/** What a phrase stands for, and why. */
interface Antecedent {
  readonly group: Group;
  readonly rule: Coreference['rule'];
}

/** A phrase that was read before. */
interface Earlier {
  readonly phrase: NounPhrase;
  readonly sentence: number;
  /** The last sentence that names it. */
  lastSentence: number;
}

/**
 * Finds what pronouns and definite phrases stand for.
 *
 * - A pronoun stands for the group that introduced the subject of its predicate ("a table with a plate on it"), else for the subject
 *   of its clause or its owner, what the last pronouns were about, the subject of the sentence before, or the last phrase, whichever
 *   agrees in number and gender first.
 * - "The man" stands for the only man so far (`same-noun`), else, from an earlier sentence, for the only person that may be one
 *   (`same-kind`): "the dog" after "a golden retriever". With two men it stands for neither.
 * - "One", "the other" and "one of them" are part of the last group that agrees (`one-of`).
 */
export class Antecedents {
  readonly mentions: Mention[] = [];
  private earlier: Earlier[] = [];
  private sentence = 0;
  /** The subject of the last sentence that had one. */
  private lastSubject: Group = [];
  /** The sentence that it is the subject of. */
  private subjectSentence = 0;
  private readonly preferred = new Set<NounPhrase>();
  /** What the last pronoun of each kind stands for. */
  private readonly meant = new Map<string, { readonly group: Group; sentence: number }>();

  /** @param subject of the sentence that ended, or its owner: "its head is …" is about a horse */
  endSentence(subject: Group): void {
    this.endClause(subject);
    this.sentence++;
    if (this.earlier.length > REACH) this.earlier = this.earlier.slice(-REACH);
  }

  /** @param subject of a clause, which pronouns of the next one mean first */
  endClause(subject: Group): void {
    if (!subject.some(({ entity }) => !isAbstract(entity.lemma))) return;
    this.lastSubject = subject;
    this.subjectSentence = this.sentence;
  }

  /** Makes what somebody holds or does more likely than the place where it happens. */
  prefer(objects: Group): void {
    for (const phrase of objects) this.preferred.add(phrase);
  }

  /**
   * Adds a phrase; a definite one may stand for an earlier phrase.
   * @param named what the phrase says in other words: in "the vendor, a man in a hat, hands" the vendor
   */
  add(phrase: NounPhrase, named?: NounPhrase): void {
    const antecedents: Antecedent | undefined = named ? { group: [named], rule: 'same-kind' } : this.sameAs(phrase);
    if (antecedents) this.link(phrase.entity, antecedents.group, antecedents.rule);
    // Only its first mention counts later.
    const { sentence } = this;
    const known = antecedents?.group.length === 1 ? antecedents.group[0] : undefined;
    if (!known) this.earlier.push({ phrase, sentence, lastSentence: sentence });
    for (const earlier of this.earlier) if (earlier.phrase === known) earlier.lastSentence = sentence;
    if (known) for (const meant of this.meant.values()) if (meant.group.includes(known)) meant.sentence = sentence;
  }

  /** Returns what a pronoun stands for; nothing if no phrase agrees. */
  of(word: string, token: Pick<Token, 'start' | 'end'>, context: PronounContext, isOwner = false): Group {
    const found = this.antecedentOf(word, context);
    if (found.length === 0) return found;
    this.link(token, found, isOwner ? 'possessive' : ruleOf(word));
    this.meant.set(kindOf(word), { group: found, sentence: this.sentence });
    for (const earlier of this.earlier) if (found.includes(earlier.phrase)) earlier.lastSentence = this.sentence;
    return found;
  }

  private link({ start, end }: Pick<Token, 'start' | 'end'>, antecedents: Group, rule: Coreference['rule']): void {
    this.mentions.push({ start, end, antecedents, rule });
  }

  private antecedentOf(word: string, context: PronounContext): Group {
    const { subjects, likely, originOf } = context;
    // "A glass of wine stands near it" is not about the wine.
    const isContent = (phrase: NounPhrase) => {
      const origin = originOf([phrase]);
      if (!origin?.subjects.some((one) => subjects.includes(one))) return false;
      return origin.preposition === 'of' || (origin.preposition === 'with' && !isAnimate(phrase.nounClass));
    };
    const isOther = (group: Group) => !group.some((phrase) => subjects.includes(phrase) || isContent(phrase));
    const isMeant = (group: Group) =>
      pronounAgrees(word, group) &&
      group.some(({ entity }) => !isAbstract(entity.lemma)) &&
      (!context.isAlive || isAnimate(group[0]!.nounClass));
    const agrees = (group: Group) => isMeant(group) && isOther(group);
    const first = likely.find(isMeant);
    if (first) return first;
    const visited = new Set<NounPhrase>();
    for (let origin = originOf(subjects); origin; origin = originOf(origin.subjects)) {
      const [introducing] = origin.subjects;
      if (!introducing || visited.has(introducing)) break;
      visited.add(introducing);
      // "a crib in the corner of a nursery with a mobile over it"
      const isRoom = context.isObject && !context.isContainer && rooms.test(introducing.entity.lemma);
      if (agrees(origin.subjects) && !isRoom) return origin.subjects;
    }
    // "a cup in one hand and a fork in the other"
    if (word === 'the other') {
      const one = this.earlier.findLast(
        ({ phrase, sentence }) => sentence === this.sentence && phrase.entity.quantity === 'one',
      );
      return one ? [one.phrase] : [];
    }
    const ofClause = context.subject.find(agrees);
    if (ofClause) return ofClause;
    // "A bell hangs from its neck, and a bird sits on its back. Next to it is a shed."
    const meant = this.meant.get(kindOf(word));
    const isTopic = meant !== undefined && meant.sentence >= Math.max(this.subjectSentence, this.sentence - 1);
    if (isTopic && (context.isObject || isPersonal(word)) && agrees(meant.group)) return meant.group;
    const isAround = context.isBeside && isSurrounding(this.lastSubject[0]?.entity.lemma ?? '');
    // A dog is seldom "she" if there is a woman.
    const isPet = this.lastSubject.length > 0 && isUnlikelyPerson(word, this.lastSubject[0]!);
    if (agrees(this.lastSubject) && !isAround && !isPet) return this.lastSubject;
    const isPlural = /^(?:they|them|their|both)$/.test(word);
    // "She is wearing boots, and there is paint on them."
    if (isPlural && context.isContainer)
      for (let k = this.earlier.length - 1; this.earlier[k]?.sentence === this.sentence; k--)
        if (agrees([this.earlier[k]!.phrase])) return [this.earlier[k]!.phrase];
    const people = isPlural ? this.individuals(subjects) : [];
    if (people.length > 1) return word === 'both' ? people.slice(-2) : people;
    let fallback: Group = [];
    let sentence = 0;
    for (let k = this.earlier.length - 1; k >= Math.max(0, this.earlier.length - REACH); k--) {
      const isFound = fallback.length > 0 && !isUnlikelyPerson(word, fallback[0]!);
      if (isFound && this.earlier[k]!.sentence < sentence) break;
      const group = [this.earlier[k]!.phrase];
      if (!agrees(group) || (word === 'one' && !isCounted(group[0]!))) continue;
      // "has placed a chair on a path": "it" is the chair.
      const isPlace = isLocativeAttachment(originOf(group)?.preposition ?? '');
      const isUnlikely = isSecondary(group[0]!) || group[0]!.nounClass === 'place' || isPlace;
      if ((this.preferred.has(group[0]!) || !isUnlikely) && !isUnlikelyPerson(word, group[0]!)) return group;
      sentence = this.earlier[k]!.sentence;
      if (fallback.length === 0 || (isSecondary(fallback[0]!) && !isSecondary(group[0]!))) fallback = group;
    }
    return fallback;
  }

  /** Returns the other single persons and animals of this sentence and the last, or the one before that if these are fewer than two. */
  private individuals(subjects: Group): NounPhrase[] {
    const since = (sentence: number) =>
      this.earlier
        .filter(
          ({ phrase, lastSentence }) =>
            lastSentence >= sentence && isAnimate(phrase.nounClass) && !phrase.isPlural && !subjects.includes(phrase),
        )
        .map(({ phrase }) => phrase)
        .slice(-4);
    const recent = since(this.sentence - 1);
    return recent.length > 1 ? recent : since(this.sentence - 2);
  }

  private sameAs(phrase: NounPhrase): Antecedent | undefined {
    const { entity, isPlural } = phrase;
    if (!definite.has(phrase.determiner?.text ?? '') || entity.attributes.some(({ text }) => others.has(text)))
      return undefined;
    if (phrase.nounClass === 'bodyPart' || isAbstract(entity.lemma) || partNouns.has(entity.lemma)) return undefined;
    const recent = this.earlier.slice(-REACH).filter((earlier) => this.mayBeKnown(earlier));
    const named = recent.map(({ phrase: earlier }) => earlier).filter((earlier) => isNamedAlike(phrase, earlier));
    const alike = named.filter((earlier) => earlier.isPlural === isPlural);
    const group = alike.length > 1 ? alike.filter((earlier) => hasAttributesOf(phrase, earlier)) : alike;
    if (group.length === 1 && isCompatible(phrase, group[0]!)) return { group, rule: 'same-noun' };
    if (isPlural && alike.length === 0 && named.length > 1 && entity.attributes.length === 0)
      return { group: named, rule: 'same-noun' };
    if (named.length > 0 || entity.attributes.length > 0) return undefined;
    const kin = recent.filter(
      ({ phrase: earlier, sentence }) =>
        sentence < this.sentence && earlier.isPlural === isPlural && isSameKind(phrase, earlier),
    );
    return kin.length === 1 ? { group: [kin[0]!.phrase], rule: 'same-kind' } : undefined;
  }

  /** In one sentence, "the man next to the man" has two. */
  private mayBeKnown({ phrase, sentence }: Earlier): boolean {
    return sentence < this.sentence || !definite.has(phrase.determiner?.text ?? '');
  }
}

const ruleOf = (word: string): Coreference['rule'] =>
  word === 'one' || word === 'the one' ? 'one-of' : word === 'both' ? 'both' : 'pronoun';

/** What is around other things, rather than next to them. */
const isSurrounding = (lemma: string) => rooms.test(lemma) || surroundings.test(lemma);
const rooms =
  /room$|^(?:kitchen|office|hall|hallway|den|attic|garage|studio|gym|library|cafe|restaurant|shop|nursery|museum)$/;
const surroundings =
  /^(?:storm|party|festival|game|match|race|class|lesson|concert|market|fair|parade|ceremony|wedding|sleepover|street|city|town|village|site)$/;

/** Returns what is the same of `it` and `its`, `he`, `him` and `his`: their number and gender. */
const kindOf = (word: string) =>
  /^h(?:e|im|is)$/.test(word)
    ? 'he'
    : /^(?:she|her)$/.test(word)
      ? 'she'
      : /^the/.test(word)
        ? 'they'
        : word.slice(0, 2);

const isPersonal = (word: string) => /^(?:he|him|his|she|her)$/.test(word);

/** "Him" is seldom an animal if there is a person. */
const isUnlikelyPerson = (word: string, { nounClass }: NounPhrase) => isPersonal(word) && nounClass !== 'person';

/** What a pronoun seldom means if there is something else. */
const isSecondary = ({ nounClass }: NounPhrase) =>
  nounClass === 'bodyPart' || nounClass === 'garment' || nounClass === 'time';

/** "The other" is one of "two boats" or of "boys", hardly of "tricks". */
const isCounted = ({ nounClass, entity: { quantity } }: NounPhrase) => quantity !== undefined || isAnimate(nounClass);

/** Checks whether the nouns of a phrase are the last ones of an earlier phrase: "the truck" after "a fire truck". */
function isNamedAlike({ entity }: NounPhrase, { entity: earlier }: NounPhrase): boolean {
  if (entity.lemma !== earlier.lemma) return false;
  const name = nameOf(entity);
  return name === entity.lemma || name === entity.head || ` ${nameOf(earlier)}`.endsWith(` ${name}`);
}

const nameOf = ({ name, span }: NounPhrase['entity']) => name ?? span.toLowerCase();

const hasAttributesOf = ({ entity }: NounPhrase, { entity: earlier }: NounPhrase) =>
  entity.attributes.every(({ text }) => earlier.attributes.some((attribute) => attribute.text === text));

/** "The tall man" may be the only man so far, unless another attribute is known of him. */
const isCompatible = (phrase: NounPhrase, earlier: NounPhrase) =>
  hasAttributesOf(phrase, earlier) || earlier.entity.attributes.length === 0;

const definite = wordSet('the this that these those');
const others = wordSet('other another second third fourth next remaining latter last different');
