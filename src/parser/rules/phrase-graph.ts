import type { TextGraph, TextRelation } from '../../records/text-graph.js';
import { wordSet } from '../language/word-set.js';
import type { Group } from './attachment.js';
import type { Predicate } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';

/** Checks for the picture itself or a part of it, which is not a thing in it: "a tree in the background of the scene". */
export const isNowhere = ({ entity: { lemma }, determiner }: NounPhrase) =>
  nowhere.has(lemma) || (pictures.has(lemma) && (determiner?.text === 'the' || determiner?.text === 'this'));
const pictures = wordSet('picture photo photograph frame');
const nowhere = wordSet('image scene view background foreground distance close-up');

/** Noun phrases in reading order and their relations, each once. */
export class PhraseGraph {
  private readonly indices = new Map<NounPhrase, number>();
  private readonly relations = new Map<string, TextRelation>();
  private readonly pairs = new Set<string>();

  add(phrase: NounPhrase): void {
    this.indices.set(phrase, this.indices.size);
  }

  /** Relates each subject to each object. */
  relate(subjects: Group, predicate: Predicate, objects: Group): void {
    for (const from of subjects)
      for (const to of objects) {
        if (from === to || isNowhere(from) || isNowhere(to)) continue;
        this.addRelation(from, predicate, to);
      }
  }

  /** Relates a group to itself: in "two dogs next to each other" the object is the other dog. */
  relateMutually(group: Group, predicate: Predicate): void {
    if (group.length > 1) this.relate(group, predicate, group);
    else if (group[0]?.isPlural) this.addRelation(group[0], predicate, group[0]);
  }

  /** Checks whether a relation of the two is known, in either direction. */
  isRelated(a: NounPhrase, b: NounPhrase): boolean {
    return this.pairs.has(`${this.indices.get(a)} ${this.indices.get(b)}`);
  }

  graph(): TextGraph {
    return {
      entities: [...this.indices.keys()].map(({ entity }) => entity),
      relations: [...this.relations.values()],
    };
  }

  private addRelation(from: NounPhrase, { text, lemma, inferred }: Predicate, to: NounPhrase): void {
    const subject = this.indices.get(from)!;
    const object = this.indices.get(to)!;
    const key = `${subject} ${object} ${text}`;
    if (this.relations.has(key)) return;
    const relation: TextRelation = { subject, object, predicate: text, lemma };
    if (inferred) relation.inferred = inferred;
    this.relations.set(key, relation);
    this.pairs.add(`${subject} ${object}`).add(`${object} ${subject}`);
  }
}
