import type { TextGraph } from '../../records/text-graph.js';
import { isAbstract, isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import { Antecedents, type Mention } from './antecedents.js';
import {
  attachmentAgent,
  attachmentContainer,
  attachmentSite,
  type Group,
  isLocativeAttachment,
  isSideBySideAttachment,
} from './attachment.js';
import type { ClausePart, Predicate, VerbPart } from './clause-parts.js';
import {
  allowsMixedList,
  isApposition,
  isBackdrop,
  isInverted,
  startsClause,
  startsParallel,
} from './clause-starts.js';
import type { NounPhrase } from './noun-phrase.js';
import { PhraseGraph } from './phrase-graph.js';
import { pronounAgrees } from './pronoun-agrees.js';

/** A predicate whose object has not been read yet. */
interface PendingPredicate extends Predicate {
  /** Undefined when the object decides: a preposition without a verb, as in "a man eating pizza with a fork". */
  readonly subjects: Group | undefined;
  readonly preposition: string;
  readonly verb?: string;
  /** Whether it starts a sentence, so that its subject follows. */
  readonly isFronted?: boolean;
}

/** A predicate whose subjects are known. */
interface ResolvedPredicate extends PendingPredicate {
  readonly subjects: Group;
}

/** A predicate before its subjects, with its object. */
interface FrontedPredicate {
  readonly predicate: PendingPredicate;
  readonly object: Group;
  /** The subject of the clause around it: "the bench on which a man sleeps is". */
  readonly outer?: Group;
}

/**
 * Reads the parts of a caption from left to right and relates its noun phrases. Its state is the subject of the clause, the
 * noun phrases read last, the predicate whose object is missing, and the relation that introduced each noun phrase. It looks
 * ahead by at most one part.
 */
export class RelationReader {
  private readonly found = new PhraseGraph();
  private readonly antecedents = new Antecedents();
  /** Phrases with a possessive pronoun, and their owners. */
  private readonly possessions = new Map<NounPhrase, { readonly owners: Group; readonly word: string }>();
  private readonly origins = new Map<NounPhrase, ResolvedPredicate>();
  private readonly originOf = (group: Group) => this.origins.get(group[0]!);

  private subject: Group = [];
  /** The subject of the last verb. */
  private agent: Group = [];
  private nearest: Group = [];
  private pending: PendingPredicate | undefined;
  /** The last complete predicate with its subjects, which "and" continues. */
  private related: ResolvedPredicate | undefined;
  /** A predicate before its subject: "In the kitchen, a man …". */
  private fronted: FrontedPredicate | undefined;
  /** The predicate that its subjects follow: "on the table are a cup and a plate". */
  private inverted: FrontedPredicate | undefined;
  /** The group that the last adjective describes. */
  private described: Group = [];
  private isRelative = false;
  /** The last pronoun if it denies what follows: as an object, "with no one sitting on it", or a subject, "no one sits". */
  private nothing: 'object' | 'subject' | undefined;
  private isQuestion = false;
  private isClauseDenied = false;
  /** Whether only words between commas are denied: "two boys, neither holding a ball, stand on a lawn". */
  private isDeniedAside = false;
  /** Whether the last `be` is negated: "is not on". */
  private isDenied = false;
  /** Why the last verb relates nothing: it is negated, or only possible. */
  private unstated: 'denied' | 'possible' | undefined;
  /** Whether the subject has its finite verb. */
  private hasVerb = false;
  /** The subject of the clause around one with "whose". */
  private outer: Group = [];
  /** The object of a relative clause: "the kite that a boy flies". */
  private relativeObject: Group = [];
  private previousKind: ClausePart['kind'] | undefined;

  /**
   * Reads one sentence; its pronouns may refer to earlier sentences.
   * @param isQuestion whether it states nothing
   */
  read(sentence: readonly ClausePart[], isQuestion = false): void {
    this.isQuestion = isQuestion;
    this.beginClause();
    this.subject = this.agent = this.described = [];
    this.fronted = this.inverted = undefined;
    this.previousKind = undefined;
    for (const [k, part] of sentence.entries()) {
      this.readPart(part, sentence, k);
      this.previousKind = part.kind;
    }
    this.antecedents.endSentence(this.subject.flatMap((phrase) => this.possessions.get(phrase)?.owners ?? phrase));
  }

  /** Returns the graph of the sentences read so far. */
  graph(): TextGraph {
    for (const [phrase, { owners, word }] of this.possessions)
      if (!owners.some((owner) => this.found.isRelated(owner, phrase)))
        this.found.relate(owners, { text: word, lemma: "'s", inferred: { lemma: 'have' } }, [phrase]);
    return this.found.graph();
  }

  /** Returns what the pronouns and definite phrases read so far stand for. */
  mentions(): readonly Mention[] {
    return this.antecedents.mentions;
  }

  private readPart(part: ClausePart, sentence: readonly ClausePart[], k: number): void {
    switch (part.kind) {
      case 'phrase':
        this.readPhrase(part.phrase, sentence, k);
        break;
      case 'pronoun':
        this.readPronoun(part);
        break;
      case 'preposition':
        if (this.isJoined() && isInverted(sentence, k)) {
          this.antecedents.endClause(this.subject);
          this.beginClause();
          this.subject = this.agent = [];
        }
        this.readPreposition(part.text, part.lemma);
        break;
      case 'verb':
        this.readVerb(part, sentence.slice(k + 1, k + 3));
        break;
      case 'denial':
        if (part.isNewClause) this.beginClause();
        this.isDeniedAside = !part.isNewClause && this.previousKind === 'comma' && this.subject.length > 0;
        this.isClauseDenied = true;
        break;
      case 'be':
        this.endInnerClause();
        this.isDenied = part.isDenied === true;
        if (!this.isRelative) this.hasVerb = true;
        break;
      case 'quote':
        this.nearest = this.pending?.subjects ?? this.nearest;
        this.pending = undefined;
        break;
      case 'adjective':
        this.readAdjective(part.text);
        break;
      case 'relative':
        if (this.pending && this.pending.verb === undefined) this.beginPlace(this.pending);
        else this.isRelative = true;
        break;
      case 'while':
        this.beginClause();
        break;
      case 'and':
      case 'comma':
        this.pending = undefined;
    }
  }

  private beginClause(): void {
    this.isClauseDenied = this.isDeniedAside = false;
    this.pending = undefined;
    this.related = undefined;
    this.nearest = this.outer = [];
    this.isRelative = this.hasVerb = false;
    this.unstated = undefined;
    this.relativeObject = [];
  }

  /** Begins a clause about a place: "an armchair in which a man sleeps" has the man in the armchair. */
  private beginPlace(predicate: PendingPredicate): void {
    const object = this.nearest.slice(-1);
    const outer = this.hasVerb ? [] : this.subject;
    this.beginClause();
    this.subject = this.agent = [];
    this.fronted = { predicate, object, outer };
  }

  private readPhrase(phrase: NounPhrase, sentence: readonly ClausePart[], k: number): void {
    this.addPhrase(phrase);
    this.described = [];
    const group = [phrase];
    if (this.previousKind === 'be' && this.isDenied && this.subject.length === 0) {
      // "there isn't any milk in the glass"
      this.nothing = 'subject';
      this.nearest = [];
      return;
    }
    if (this.pending) this.completePending(this.pending, group, isBackdrop(sentence, k));
    else if (this.isSecondObject(phrase)) {
      // "feeding a horse a carrot"
      this.attachObjects(group, this.related!);
      this.nearest = group;
    } else if (this.isRelative && this.previousKind === 'relative' && this.nearest.length > 0)
      this.beginObjectClause(group);
    else if (phrase.determiner?.text === 'whose' && this.nearest.length > 0) this.beginOwnersClause(phrase);
    else if (isApposition(sentence, k)) this.nearest = group;
    else if (this.isJoined() && this.nearest.length > 0 && this.subject.length > 0)
      this.joinPhrase(phrase, sentence[k + 1]);
    else if (this.previousKind === 'be' && this.subject.length > 0 && !this.fronted) this.nearest = group;
    else this.setSubject(group);
  }

  /** Adds a phrase to the graph, its owner first. */
  private addPhrase(phrase: NounPhrase): void {
    if (phrase.owner) this.addPhrase(phrase.owner);
    this.found.add(phrase);
    this.findOwner(phrase);
    this.antecedents.add(phrase);
    if (phrase.owner) this.relate([phrase.owner], { text: "'s", lemma: "'s", inferred: { lemma: 'have' } }, [phrase]);
  }

  /** Finds whose a phrase with a possessive pronoun is: in "a man with a bat in his hand" the man's. */
  private findOwner(phrase: NounPhrase): void {
    const { determiner, entity, nounClass } = phrase;
    if (!determiner || !possessives.has(determiner.text)) return;
    const owners = this.antecedents.of(
      determiner.text,
      determiner,
      {
        subjects: [],
        subject: [],
        likely: [this.pending?.subjects ?? [], this.agent, this.subject, this.nearest],
        originOf: this.originOf,
      },
      true,
    );
    const isThere = !this.pending || (this.isStated(this.pending) && !/without$/.test(this.pending.text));
    if (owners.length > 0 && isThere && nounClass !== 'time' && !isAbstract(entity.lemma))
      this.possessions.set(phrase, { owners, word: determiner.text });
  }

  /** Begins a clause whose object came before: "the kite that a boy flies" has the boy fly the kite. */
  private beginObjectClause(agent: Group): void {
    this.relativeObject = this.nearest;
    this.isRelative = false;
    this.agent = agent;
    this.nearest = agent;
    this.related = undefined;
  }

  /** Begins a clause about what something has: "a lake whose banks are green". */
  private beginOwnersClause(phrase: NounPhrase): void {
    this.possessions.set(phrase, { owners: this.nearest.slice(-1), word: 'whose' });
    const outer = this.subject;
    this.setSubject([phrase]);
    this.outer = outer;
  }

  private isSecondObject(phrase: NounPhrase): boolean {
    if (this.previousKind !== 'phrase' && this.previousKind !== 'pronoun') return false;
    return (
      phrase.isDetermined && this.related?.preposition === '' && transfers.has(this.related.verb ?? '') && !phrase.owner
    );
  }

  private setSubject(group: Group): void {
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

  /** Gives the pending predicate its object. */
  private completePending(pending: PendingPredicate, object: Group, isFarAway: boolean): void {
    this.pending = undefined;
    const subjects = pending.subjects ?? attachmentSite(this.nearest, pending.preposition, object[0]!, this.originOf);
    if (subjects.length > 0) {
      // "a sign with trees in the background" has no trees.
      const isElsewhere = isFarAway && pending.preposition === 'with' && subjects[0]!.nounClass !== 'place';
      const isDenied =
        pending.isDenied || isElsewhere || (pending.verb === undefined && this.isUnstated(pending, subjects));
      this.attachObjects(object, { ...pending, isDenied, subjects });
      if (pending.verb !== undefined && pending.preposition === '') this.antecedents.prefer(object);
      this.nearest = object;
    } else if (this.subject.length === 0 && this.fronted && pending.verb !== undefined && !pending.isFronted) {
      this.setSubject(object);
    } else {
      if (pending.isFronted) this.fronted = { predicate: pending, object };
      this.nearest = object;
    }
  }

  /** Checks whether a preposition belongs to what is not so, or only possible: "about to hit a ball with a bat". */
  private isUnstated({ preposition }: PendingPredicate, subjects: Group): boolean {
    if (this.unstated !== undefined && preposition === 'with') return true;
    if (this.unstated === undefined || !subjects.every((phrase) => this.agent.includes(phrase))) return false;
    return this.unstated === 'denied' || !isLocativeAttachment(preposition);
  }

  /** Relates phrases that were just added, and stores the predicate that introduced them. */
  private attachObjects(object: Group, related: ResolvedPredicate): void {
    this.relate(related.subjects, related, object);
    for (const phrase of object) this.origins.set(phrase, related);
    this.related = related;
  }

  /** Reads a phrase after "and" or a comma: another object, another subject, or a new clause. */
  private joinPhrase(phrase: NounPhrase, next: ClausePart | undefined): void {
    const { related } = this;
    const isAlive = isAnimate(phrase.nounClass);
    if (!related) {
      // "a man and a woman", but "a dog running and a cat"
      if (this.nearest === this.subject) {
        this.subject = this.agent = this.nearest = [...this.subject, phrase];
        if (this.inverted) this.relate([phrase], this.inverted.predicate, this.inverted.object);
      } else this.setSubject([phrase]);
    } else if (startsClause(phrase, next, related, this.hasVerb)) this.setSubject([phrase]);
    else if (startsParallel(next, related)) this.joinParallel(phrase, related);
    else if (related.preposition === 'of' && related.verb === undefined && phrase.isDetermined) {
      // "a bottle of beer and two bananas": the bananas join the bottle, not the beer.
      const outer = this.originOf(related.subjects);
      if (outer) {
        this.attachObjects([phrase], outer);
        this.nearest = [phrase];
        return;
      }
      if (related.subjects === this.subject) this.subject = this.agent = [...this.subject, phrase];
      this.nearest = this.subject.includes(phrase) ? this.subject : [phrase];
    } else if (isAlive && !isAnimate(this.nearest[0]!.nounClass) && !allowsMixedList(related)) this.nearest = [phrase];
    else {
      this.attachObjects([phrase], related);
      this.nearest = [...this.nearest, phrase];
    }
  }

  /** Reads another object with a place of its own, "a bag over her arm and a ring on her finger", or another subject. */
  private joinParallel(phrase: NounPhrase, { subjects }: ResolvedPredicate): void {
    const outer = this.originOf(subjects);
    if (outer?.verb === undefined || outer.preposition !== '') this.setSubject([phrase]);
    else {
      this.attachObjects([phrase], outer);
      this.nearest = [phrase];
    }
  }

  private readPreposition(text: string, lemma = text): void {
    const { pending } = this;
    if (pending && (pending.verb !== undefined || !particles.has(pending.text))) {
      const preposition = pending.preposition ? `${pending.preposition} ${text}` : text;
      this.pending = { ...pending, text: `${pending.text} ${text}`, lemma: `${pending.lemma} ${lemma}`, preposition };
      return;
    }
    const subjects = pending ? pending.subjects : this.fixedSubjects();
    const isFronted = this.previousKind === undefined || (this.isJoined() && this.subject.length === 0);
    const isDenied = (this.previousKind === 'be' || this.previousKind === 'adjective') && this.isDenied;
    this.pending = { text, lemma, preposition: text, subjects, isFronted, isDenied };
  }

  /** Returns the subjects of a preposition without a verb when its object does not matter, else undefined. */
  private fixedSubjects(): Group | undefined {
    if (this.previousKind === 'be') return this.clauseSubject();
    if (this.previousKind === 'adjective' && this.described.length > 0) return this.described;
    if (this.isJoined()) return this.related?.subjects ?? this.subject;
    if (this.previousKind === 'while') return this.subject;
    return this.nearest.length > 0 ? undefined : [];
  }

  private readVerb(part: VerbPart, following: readonly ClausePart[]): void {
    if (part.form === 'finite') this.endInnerClause();
    if (this.isDeniedAside && part.form === 'finite' && this.previousKind === 'comma') {
      this.isClauseDenied = this.isDeniedAside = false;
      this.agent = this.subject;
    }
    this.described = [];
    const subjects = this.subjectsOf(part);
    if (part.form === 'finite' && !this.isRelative) this.hasVerb = true;
    this.isRelative = false;
    this.unstated = part.isDenied ? (part.isPossible ? 'possible' : 'denied') : undefined;
    if (this.relativeObject.length > 0) {
      this.closeObjectClause(part, following);
      return;
    }
    this.agent = subjects;
    this.related = undefined;
    const isFronted = this.previousKind === undefined && part.form !== 'finite';
    this.pending = {
      text: part.text,
      lemma: part.lemma,
      verb: part.verb,
      preposition: '',
      subjects,
      isFronted,
      isDenied: part.isDenied === true,
    };
  }

  /** Reads the verb of "the kite that a boy flies", or verb and preposition of "the ladder that a boy stands on". */
  private closeObjectClause(part: VerbPart, [next, afterNext]: readonly ClausePart[]): void {
    const isOpen = next?.kind === 'preposition' && afterNext?.kind !== 'phrase' && afterNext?.kind !== 'pronoun';
    const ending = isOpen ? ` ${next.text}` : '';
    this.relate(this.agent, { ...part, text: part.text + ending, lemma: part.lemma + ending }, this.relativeObject);
    this.nearest = this.relativeObject;
    this.relativeObject = [];
    this.agent = this.subject;
    this.pending = undefined;
  }

  /** Returns to the subject of "a nurse whose dog barks holds" at its own verb. */
  private endInnerClause(): void {
    if (this.outer.length === 0 || !this.hasVerb || this.previousKind === 'and') return;
    this.subject = this.agent = this.outer;
    this.outer = this.nearest = [];
    this.pending = undefined;
    this.isRelative = false;
  }

  private subjectsOf(part: VerbPart): Group {
    if (this.pending && /without$|instead of$/.test(this.pending.text)) return [];
    if (this.isRelative && this.nearest.length > 0)
      return thingVerbs.has(part.verb) ? this.nearest : attachmentAgent(this.nearest, part, this.originOf);
    if (
      part.isInfinitive &&
      this.related?.preposition === '' &&
      this.nearest.some(({ nounClass }) => isAnimate(nounClass))
    )
      return this.nearest;
    // "a cart with no driver is parked" has the cart parked.
    if (this.nothing && this.previousKind === 'pronoun' && (this.nothing === 'subject' || part.form !== 'finite'))
      return [];
    if (this.isJoined() || this.previousKind === 'while') return this.agent;
    if (part.form === 'finite' || this.nearest.length === 0) return this.subject;
    if (this.pending?.verb !== undefined) return this.agent;
    return attachmentAgent(this.nearest, part, this.originOf);
  }

  /** Returns the subject of "is in" and "is red". */
  private clauseSubject(): Group {
    const subjects = this.isRelative ? this.nearest : this.subject;
    this.isRelative = false;
    return subjects;
  }

  /** Reads an adjective after `be`, or another after that: "is red", "is red and white". */
  private readAdjective(text: string): void {
    if (this.previousKind === 'be') this.described = this.clauseSubject();
    else if (!this.isJoined() && this.previousKind !== 'adjective') this.described = [];
    for (const { entity } of this.described) entity.attributes.push({ text, lemma: text });
  }

  private readPronoun({ word, start, end }: Extract<ClausePart, { kind: 'pronoun' }>): void {
    this.nothing = word !== 'nothing' ? undefined : this.pending ? 'object' : 'subject';
    // "a sink and a mirror above it"
    const [beforeLast, last] = this.nearest.slice(-2);
    const listed = word === 'it' && last && this.isBeside() ? [[beforeLast!]] : [];
    if (last && listed.length > 0) this.nearest = [last];
    const subjects = this.pending ? (this.pending.subjects ?? this.placedGroup(word)) : [];
    if (word === 'each other') {
      const { pending } = this;
      // "looking in different directions from each other" does not relate the directions.
      const relates = pending && (pending.verb !== undefined || isSideBySideAttachment(pending.preposition));
      if (relates && this.isStated(pending)) this.found.relateMutually(subjects, pending);
      this.pending = undefined;
      return;
    }
    const isObjectClause = !this.pending && this.isRelative && this.previousKind === 'relative';
    const antecedent = this.antecedents.of(
      word,
      { start, end },
      {
        subjects,
        subject: this.subject,
        likely: listed,
        originOf: this.originOf,
      },
    );
    if (isObjectClause && antecedent.length > 0 && this.nearest.length > 0) {
      this.beginObjectClause(antecedent);
      return;
    }
    const { pending } = this;
    this.pending = undefined;
    this.related = pending?.verb === undefined ? undefined : { ...pending, subjects };
    // A copy, so that "and a fence" after "with boats in it" does not join a subject.
    // "next to her on a stool": what follows is about the subjects.
    this.nearest =
      pending && antecedent.length > 0 && subjects.length > 0 && pending.preposition !== 'with'
        ? [...subjects]
        : [...antecedent];
    if (!pending) {
      if (!this.isRelative) this.subject = this.agent = antecedent;
      // "with one of them holding a ball" only introduces the following verb.
    } else if (pending.isFronted && this.subject.length === 0)
      this.fronted = { predicate: pending, object: antecedent };
    else if (pending.verb !== undefined || pending.preposition !== 'with') this.relate(subjects, pending, antecedent);
  }

  /** Returns what the pending preposition places before a pronoun: in "a boat on the water next to them" the boat. */
  private placedGroup(word: string): Group {
    const origin = this.originOf(this.nearest);
    if (
      origin &&
      this.isBeside() &&
      isLocativeAttachment(origin.preposition) &&
      !isAnimate(this.nearest[0]!.nounClass) &&
      !pronounAgrees(word, origin.subjects)
    )
      return origin.subjects;
    return attachmentContainer(this.nearest, this.originOf);
  }

  /** Checks whether the pending preposition places one thing at the side of another, rather than in it. */
  private isBeside(): boolean {
    return this.pending?.verb === undefined && isSideBySideAttachment(this.pending?.preposition ?? '');
  }

  private relate(subjects: Group, predicate: Predicate, objects: Group): void {
    if (this.isStated(predicate)) this.found.relate(subjects, predicate, objects);
  }

  private isStated({ isDenied, text }: Predicate): boolean {
    if (/(?:^| )(?:without|instead of|except)$/.test(text)) return false;
    return !this.isQuestion && !this.isClauseDenied && !isDenied;
  }

  private isJoined(): boolean {
    return this.previousKind === 'and' || this.previousKind === 'comma';
  }
}

const possessives = wordSet('his her its their');

/** Verbs with two objects: "feeding a horse a carrot". */
const transfers = wordSet('give feed hand pass offer show throw serve bring');

/** What things do: "a path that leads to a lake", "a shirt that says hello". */
const thingVerbs = wordSet('lead read say show contain feature depict display reach extend stretch');

/** Dropped before another preposition: "his head down next to a book" has `next to`. After a verb they stay: `looking down at`. */
const particles = wordSet('up down out over around off along by on');
