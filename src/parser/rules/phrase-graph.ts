import type { TextGraph, TextRelation } from '../../records/text-graph.js';
import type { NounClass } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { Predicate, PronounPart } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';

/** Checks for the picture itself or a part of it, which is not a thing in it: "a tree in the background of the scene". */
export const isNowhere = ({ entity: { lemma }, determiner }: NounPhrase) =>
  nowhere.has(lemma) || (pictures.has(lemma) && (determiner?.text === 'the' || determiner?.text === 'this'));
const pictures = wordSet('picture photo photograph frame');
const nowhere = wordSet('image scene view background foreground distance close-up');

/** How the rules came to a relation. */
export interface Reading {
  /** Whether its subject is the only one that they see, the one that they prefer, or another one before or after that. */
  readonly choice: 'only' | 'preferred' | 'higher' | 'nearer';
  /** Whose verb the predicate has, if any: its own, or that of the clause around. */
  readonly verb: 'none' | 'own' | 'around';
  readonly subject: NounClass;
  /** Its subject, and others that have the same relation with it. */
  readonly subjects: Group;
  /** The pronoun that stands for the object. */
  readonly pronoun: PronounPart | undefined;
  /** The preposition that introduced the subject; empty for an object, undefined for the subject of a clause. */
  readonly origin: string | undefined;
}

/** What callers know of a reading. */
export type ReadingKind = Pick<Reading, 'choice' | 'verb'>;

const PLAIN: ReadingKind = { choice: 'only', verb: 'own' };

/** A group that a predicate may have as subjects, and how. */
export interface OtherSubjects {
  readonly subjects: Group;
  readonly predicate: Predicate;
  readonly kind: ReadingKind;
}

/** A relation with another subject than the one that the rules prefer. */
export interface OtherReading {
  readonly relation: TextRelation;
  readonly reading: Reading;
}

/** More than the phrases of a caption. */
const MOST_PHRASES = 4096;
const pairOf = (subject: number, object: number) => subject * MOST_PHRASES + object;

/** Noun phrases in reading order and their relations, each once. */
export class PhraseGraph {
  private readonly phrases: NounPhrase[] = [];
  private readonly indices = new Map<NounPhrase, number>();
  private readonly relations: TextRelation[] = [];
  /** The relations of each two phrases, as subject and object. */
  private readonly byPair = new Map<number, TextRelation[]>();
  private readonly readings: Reading[] = [];

  private readonly originOf: (phrase: NounPhrase) => string | undefined;

  /** @param originOf returns the preposition that introduced a phrase */
  constructor(originOf: (phrase: NounPhrase) => string | undefined) {
    this.originOf = originOf;
  }

  /** The pronoun that is read: it stands for the objects of what it relates. */
  pronoun: PronounPart | undefined;

  private readonly possible: {
    readonly subjects: () => readonly OtherSubjects[];
    readonly objects: Group;
    readonly pronoun: PronounPart | undefined;
  }[] = [];

  add(phrase: NounPhrase): void {
    this.indices.set(phrase, this.phrases.push(phrase) - 1);
  }

  /** Returns the phrase of an entity of the graph. */
  phraseOf(entity: number): NounPhrase {
    return this.phrases[entity]!;
  }

  /** Relates each subject to each object. */
  relate(subjects: Group, predicate: Predicate, objects: Group, kind = PLAIN): void {
    for (const from of subjects)
      for (const to of objects) {
        if (from === to || isNowhere(from) || isNowhere(to)) continue;
        this.addRelation(from, predicate, to, kind, subjects);
      }
  }

  /** Notes that other subjects may be related to each object, if the two are not; `otherReadings` finds them. */
  mayRelate(subjects: () => readonly OtherSubjects[], objects: Group): void {
    this.possible.push({ subjects, objects, pronoun: this.pronoun });
  }

  /** Returns how each relation of the graph was read. */
  readingsOfRelations(): readonly Reading[] {
    return this.readings;
  }

  /** Returns the other readings of phrases that are not related. */
  otherReadings(): OtherReading[] {
    const found = new Map<number, OtherReading>();
    for (const { subjects, objects, pronoun } of this.possible)
      for (const other of subjects())
        for (const from of other.subjects)
          for (const to of objects) {
            if (from === to || isNowhere(from) || isNowhere(to)) continue;
            const [subject, object] = [this.indices.get(from)!, this.indices.get(to)!];
            const key = pairOf(subject, object);
            if (found.has(key) || this.hasPair(subject, object)) continue;
            const { text, lemma } = other.predicate;
            const relation = { subject, object, predicate: text, lemma };
            found.set(key, { relation, reading: this.readingOf(from, other.kind, other.subjects, pronoun) });
          }
    return [...found.values()];
  }

  /** Relates a group to itself: in "two dogs next to each other" the object is the other dog. */
  relateMutually(group: Group, predicate: Predicate): void {
    if (group.length > 1) this.relate(group, predicate, group);
    else if (group[0]?.isPlural) this.addRelation(group[0], predicate, group[0]);
  }

  /** Checks whether a relation of the two is known, in either direction. */
  isRelated(a: NounPhrase, b: NounPhrase): boolean {
    return this.hasPair(this.indices.get(a) ?? -1, this.indices.get(b) ?? -1);
  }

  graph(): TextGraph {
    return {
      entities: this.phrases.map(({ entity }) => entity),
      relations: this.relations,
    };
  }

  private hasPair(a: number, b: number): boolean {
    return this.byPair.has(pairOf(a, b)) || this.byPair.has(pairOf(b, a));
  }

  private readingOf(
    from: NounPhrase,
    { choice, verb }: ReadingKind,
    subjects: Group,
    pronoun: PronounPart | undefined,
  ): Reading {
    return { choice, verb, subject: from.nounClass, subjects, pronoun, origin: this.originOf(from) };
  }

  private addRelation(
    from: NounPhrase,
    { text, lemma, inferred }: Predicate,
    to: NounPhrase,
    kind = PLAIN,
    subjects: Group = [from],
  ): void {
    const subject = this.indices.get(from)!;
    const object = this.indices.get(to)!;
    const key = pairOf(subject, object);
    const known = this.byPair.get(key);
    if (known?.some(({ predicate }) => predicate === text)) return;
    const relation: TextRelation = { subject, object, predicate: text, lemma };
    if (inferred) relation.inferred = inferred;
    this.relations.push(relation);
    this.readings.push(this.readingOf(from, kind, subjects, this.pronoun));
    if (known) known.push(relation);
    else this.byPair.set(key, [relation]);
  }
}
