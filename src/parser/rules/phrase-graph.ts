import type { TextGraph, TextRelation } from '../../records/text-graph.js';
import type { Group } from './attachment.js';
import type { Predicate } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';

/** Noun phrases in reading order and their relations, each once. */
export class PhraseGraph {
  readonly phrases: NounPhrase[] = [];
  private readonly relations: TextRelation[] = [];

  add(phrase: NounPhrase): void {
    this.phrases.push(phrase);
  }

  /** Relates each subject to each object. */
  relate(subjects: Group, predicate: Predicate, objects: Group): void {
    for (const from of subjects)
      for (const to of objects) {
        if (from === to) continue;
        this.addRelation(from, predicate, to);
      }
  }

  /** Relates a group to itself: in "two dogs next to each other" the object is the other dog. */
  relateMutually(group: Group, predicate: Predicate): void {
    if (group.length > 1) this.relate(group, predicate, group);
    else if (group[0]?.isPlural) this.addRelation(group[0], predicate, group[0]);
  }

  graph(): TextGraph {
    return { entities: this.phrases.map(({ entity }) => entity), relations: this.relations };
  }

  private addRelation(from: NounPhrase, { text, lemma, inferred }: Predicate, to: NounPhrase): void {
    const subject = this.phrases.indexOf(from);
    const object = this.phrases.indexOf(to);
    const isDuplicate = this.relations.some(
      (r) => r.subject === subject && r.object === object && r.predicate === text,
    );
    if (!isDuplicate) this.relations.push({ subject, object, predicate: text, lemma, ...(inferred && { inferred }) });
  }
}
