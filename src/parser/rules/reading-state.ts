import { Antecedents } from './antecedents.js';
import { isOwn, isSideBySideAttachment } from './attachment.js';
import type { ClausePart, Predicate } from './clause-parts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import { type OtherSubjects, PhraseGraph, type ReadingKind } from './phrase-graph.js';

/** A predicate whose object has not been read yet. Each has all properties, in one order: mixed objects are slow. */
export interface PendingPredicate extends Predicate {
  /** Undefined when the object decides: a preposition without a verb, as in "a man eating pizza with a fork". */
  readonly subjects: Group | undefined;
  readonly preposition: string;
  /** The infinitive of its verb. */
  readonly verb: string | undefined;
  /** Whether it starts a sentence, so that its subject follows. */
  readonly isFronted: boolean;
  readonly isDenied: boolean;
  /** Groups that may be its subjects instead: those before, and those after. */
  readonly others: readonly Group[] | undefined;
  /** Whether a comma is before a preposition without a verb. */
  readonly isAside: boolean;
}

/** A predicate whose subjects are known. */
export interface ResolvedPredicate extends PendingPredicate {
  readonly subjects: Group;
  /** Finds other subjects that it may have, with their predicates; undefined if it has none. */
  readonly otherSubjects: (() => readonly OtherSubjects[]) | undefined;
}

/** A predicate before its subjects, with its object. */
interface FrontedPredicate {
  readonly predicate: PendingPredicate;
  readonly object: Group;
  /** The subject of the clause around it: "the bench on which a man sleeps is". */
  readonly outer?: Group;
}

/**
 * What is known while a caption is read: the subject of the clause, the noun phrases read last, the predicate whose object is
 * missing, and the relation that introduced each noun phrase.
 */
export class ReadingState {
  readonly antecedents = new Antecedents();
  /** Phrases with a possessive pronoun, and their owners. */
  readonly possessions = new Map<NounPhrase, { readonly owners: Group; readonly word: string }>();
  readonly origins = new Map<NounPhrase, ResolvedPredicate>();
  readonly found = new PhraseGraph((phrase) => this.origins.get(phrase)?.preposition);
  readonly originOf = (group: Group): ResolvedPredicate | undefined => this.origins.get(group[0]!);

  subject: Group = [];
  /** The subject of the last verb. */
  agent: Group = [];
  nearest: Group = [];
  pending: PendingPredicate | undefined;
  /** What a comma returns to after a phrase that joins nothing: "a boy, his hat in his hand, leans". */
  aside: { readonly related: ResolvedPredicate | undefined; readonly agent: Group } | undefined;
  /** The group of "each" and "one", each of which is `it`. */
  member: Group | undefined;
  /** The last verb with a direct object, its subjects and that object. */
  handled: { readonly predicate: ResolvedPredicate; readonly objects: Group } | undefined;
  /** The last complete predicate with its subjects, which "and" continues. */
  related: ResolvedPredicate | undefined;
  /** A predicate before its subject: "In the kitchen, a man …". */
  fronted: FrontedPredicate | undefined;
  /** The predicate that its subjects follow: "on the table are a cup and a plate". */
  inverted: FrontedPredicate | undefined;
  /** The group that the last adjective describes. */
  described: Group = [];
  isRelative = false;
  /** The word that begins the relative clause: `who`. */
  relative = '';
  /** The last pronoun if it denies what follows: as an object, "with no one sitting on it", or a subject, "no one sits". */
  nothing: 'object' | 'subject' | undefined;
  isQuestion = false;
  isClauseDenied = false;
  /** Whether only words between commas are denied: "two boys, neither holding a ball, stand on a lawn". */
  isDeniedAside = false;
  /** Whether the last `be` is negated: "is not on". */
  isDenied = false;
  /** Why the last verb relates nothing: it is negated, or only possible. */
  unstated: 'denied' | 'possible' | undefined;
  /** Whether the subject has its finite verb. */
  hasVerb = false;
  /** The subject of the clause around one with "whose". */
  outer: Group = [];
  /** The object of a relative clause: "the kite that a boy flies". */
  relativeObject: Group = [];
  previousKind: ClausePart['kind'] | undefined;

  /** @param isQuestion whether the sentence states nothing */
  beginSentence(isQuestion: boolean): void {
    this.isQuestion = isQuestion;
    this.beginClause();
    this.subject = this.agent = this.described = [];
    this.fronted = this.inverted = undefined;
    this.previousKind = undefined;
  }

  /** Forgets what the last clause said; its subject stays. */
  beginClause(): void {
    this.isClauseDenied = this.isDeniedAside = false;
    this.pending = this.aside = undefined;
    this.related = undefined;
    this.nearest = this.outer = [];
    this.isRelative = this.hasVerb = false;
    this.unstated = undefined;
    this.relativeObject = [];
  }

  /** Begins a clause about a place: "an armchair in which a man sleeps" has the man in the armchair. */
  beginPlace(predicate: PendingPredicate): void {
    const object = this.nearest.slice(-1);
    const outer = this.hasVerb ? [] : this.subject;
    this.beginClause();
    this.subject = this.agent = [];
    this.fronted = { predicate, object, outer };
  }

  /** Begins a clause whose object came before: "the kite that a boy flies" has the boy fly the kite. */
  beginObjectClause(agent: Group): void {
    this.relativeObject = this.nearest;
    this.isRelative = false;
    this.agent = agent;
    this.nearest = agent;
    this.related = undefined;
  }

  /** Returns to the subject of "a nurse whose dog barks holds" at its own verb. */
  endInnerClause(): void {
    if (this.outer.length === 0 || !this.hasVerb || this.previousKind === 'and') return;
    this.subject = this.agent = this.outer;
    this.outer = this.nearest = [];
    this.pending = undefined;
    this.isRelative = false;
  }

  /** Returns to what a phrase between commas interrupted. */
  endAside(): void {
    if (!this.aside) return;
    this.related = this.aside.related;
    this.agent = this.aside.agent;
    this.nearest = this.subject;
    this.aside = undefined;
  }

  /** Begins to read about a group: it becomes the subject of the clause. */
  setSubject(group: Group): void {
    if (this.subject.length > 0) this.antecedents.endClause(this.subject);
    this.subject = group;
    this.hasVerb = false;
    this.unstated = undefined;
    this.relativeObject = [];
    this.outer = this.fronted?.outer ?? [];
    this.agent = group;
    this.nearest = group;
    this.related = undefined;
    this.inverted = this.fronted && this.previousKind !== 'comma' ? this.fronted : undefined;
    if (this.fronted) this.relate(group, this.fronted.predicate, this.fronted.object);
    this.fronted = undefined;
  }

  /** Returns the owners of phrases that all have one: of "their heads", the horses. */
  ownersOf(group: Group): Group {
    const owners = group.map((phrase) => this.possessions.get(phrase)?.owners);
    return owners.every((one) => one !== undefined) ? [...new Set(owners.flat())] : group;
  }

  /** Returns the subject of "is in" and "is red". */
  clauseSubject(): Group {
    const subjects = this.isRelative ? this.nearest : this.subject;
    this.isRelative = false;
    return subjects;
  }

  /** Relates phrases that were just added, and stores the predicate that introduced them. */
  attachObjects(object: Group, related: ResolvedPredicate): void {
    this.relateObjects(object, related);
    for (const phrase of object) this.origins.set(phrase, related);
    this.related = related;
  }

  /** Relates objects to the subjects of a predicate, and notes which others it may have. */
  relateObjects(objects: Group, related: ResolvedPredicate): void {
    const { subjects, verb, otherSubjects } = related;
    const choice = otherSubjects ? 'preferred' : 'only';
    this.relate(subjects, related, objects, { choice, verb: verb === undefined ? 'none' : 'own' });
    if (otherSubjects && this.isStated(related)) this.found.mayRelate(otherSubjects, objects);
  }

  /** Relates each subject to each object, unless the clause denies it or asks. */
  relate(subjects: Group, predicate: Predicate, objects: Group, kind?: ReadingKind): void {
    if (this.isStated(predicate)) this.found.relate(subjects, predicate, objects, kind);
  }

  /** Checks whether the clause states a predicate, rather than denying it or asking. */
  isStated({ isDenied, text }: Predicate): boolean {
    if (/(?:^| )(?:without|instead of|except(?: for)?|despite)$/.test(text)) return false;
    return !this.isQuestion && !this.isClauseDenied && !isDenied;
  }

  /** Checks whether the last phrase is a part of what it was said of: "a plane with its nose open". */
  isOwnPart(): boolean {
    const origin = this.originOf(this.nearest);
    return origin?.preposition === 'with' && origin.verb === undefined && isOwn(this.nearest[0]!);
  }

  /** Checks whether "and" or a comma precedes. */
  isJoined(): boolean {
    return this.previousKind === 'and' || this.previousKind === 'comma';
  }

  /** Checks whether the pending preposition places one thing at the side of another, rather than in it. */
  isBeside(): boolean {
    return this.pending?.verb === undefined && isSideBySideAttachment(this.pending?.preposition ?? '');
  }
}
