import type { TextGraph } from '../../records/text-graph.js';
import { SubjectScorer, type SubjectSupport } from '../subjects/subject-scorer.js';
import type { Mention } from './antecedents.js';
import type { ClausePart } from './clause-parts.js';
import { isInverted } from './clause-starts.js';
import type { NounPhrase } from './noun-phrase.js';
import type { Group } from './origin.js';
import type { OtherReading, Reading } from './phrase-graph.js';
import { phraseOwners } from './phrase-owners.js';
import { readPhrase } from './read-phrase.js';
import { readPreposition } from './read-preposition.js';
import { readPronoun } from './read-pronoun.js';
import { readVerb } from './read-verb.js';
import { ReadingState } from './reading-state.js';

/** Reads the parts of a caption from left to right and relates its noun phrases. It looks ahead by a few parts at most. */
export class RelationReader {
  private readonly state = new ReadingState();
  private readonly sentences: (readonly ClausePart[])[] = [];
  private scorer: SubjectScorer | undefined;
  private owners: ReadonlyMap<NounPhrase, Group> | undefined;

  /**
   * Reads one sentence; its pronouns may refer to earlier sentences.
   * @param isQuestion whether it states nothing
   */
  read(sentence: readonly ClausePart[], isQuestion = false): void {
    const { state } = this;
    this.sentences.push(sentence);
    state.beginSentence(isQuestion);
    for (const [k, part] of sentence.entries()) {
      state.found.pronoun = part.kind === 'pronoun' ? part : undefined;
      this.readPart(part, sentence, k);
      state.previousKind = part.kind;
    }
    const { subject, possessions } = state;
    // "Its head is …", but "a giraffe and her calf are …"
    const topicOf = (phrase: NounPhrase) => {
      const owners = possessions.get(phrase)?.owners;
      return owners && !owners.some((owner) => subject.includes(owner)) ? owners : phrase;
    };
    state.antecedents.endSentence(possessions.size === 0 ? subject : subject.flatMap(topicOf));
  }

  /** Returns the graph of the sentences read so far. */
  graph(): TextGraph {
    const { state } = this;
    for (const [phrase, { owners, word }] of state.possessions)
      if (!owners.some((owner) => state.found.isRelated(owner, phrase)))
        state.found.relate(owners, { text: word, lemma: "'s", inferred: { lemma: 'have' } }, [phrase]);
    return state.found.graph();
  }

  /** Returns how each relation of the graph was read. */
  readings(): readonly Reading[] {
    return this.state.found.readingsOfRelations();
  }

  /** Returns relations that prepositions and participles may have with other phrases. */
  otherReadings(): readonly OtherReading[] {
    return this.state.found.otherReadings();
  }

  /**
   * Returns what supports an entity as the subject of another's predicate; undefined if the sentence does not tell.
   * @param reading how the rules read their relation; undefined for a relation of others
   */
  supportOf(subject: number, object: number, reading?: Reading): SubjectSupport | undefined {
    const { found, antecedents, possessions } = this.state;
    const { subjects = [], pronoun } = reading ?? {};
    const [from, to] = [found.phraseOf(subject), found.phraseOf(object)];
    this.scorer ??= new SubjectScorer(this.sentences);
    const support = this.scorer.supportOf(from, subjects, to, antecedents.mentions, pronoun);
    if (!support || possessions.size === 0) return support;
    this.owners ??= phraseOwners(possessions, found);
    const owners = this.owners.get(to);
    return owners && !owners.includes(to)
      ? { ...support, isOwner: owners.includes(from) || subjects.some((phrase) => owners.includes(phrase)) }
      : support;
  }

  /** Returns what the pronouns and definite phrases read so far stand for. */
  mentions(): readonly Mention[] {
    return this.state.antecedents.mentions;
  }

  private readPart(part: ClausePart, sentence: readonly ClausePart[], k: number): void {
    const { state } = this;
    switch (part.kind) {
      case 'phrase':
        readPhrase(state, part.phrase, sentence, k);
        break;
      case 'pronoun':
        readPronoun(state, part);
        break;
      case 'preposition':
        if (state.isJoined() && isInverted(sentence, k)) {
          state.antecedents.endClause(state.subject);
          state.beginClause();
          state.subject = state.agent = [];
        }
        readPreposition(state, part.text, part.lemma);
        break;
      case 'verb':
        readVerb(state, part, sentence.slice(k + 1, k + 3));
        break;
      case 'denial':
        if (part.isNewClause) state.beginClause();
        state.isDeniedAside = !part.isNewClause && state.previousKind === 'comma' && state.subject.length > 0;
        state.isClauseDenied = true;
        break;
      case 'be':
        state.endInnerClause();
        state.isDenied = part.isDenied === true;
        if (!state.isRelative) state.hasVerb = true;
        break;
      case 'quote':
        state.nearest = state.pending?.subjects ?? state.nearest;
        state.pending = undefined;
        break;
      case 'adjective':
        readAdjective(state, part.text);
        break;
      case 'relative':
        if (state.pending && state.pending.verb === undefined) state.beginPlace(state.pending);
        else state.isRelative = true;
        state.relative = part.word;
        break;
      case 'while':
        state.beginClause();
        break;
      case 'comma':
        state.endAside();
        state.pending = undefined;
        break;
      case 'and':
        state.pending = undefined;
    }
  }
}

/** Reads an adjective after `be`, or another after that: "is red", "is red and white". */
function readAdjective(state: ReadingState, text: string): void {
  if (state.previousKind === 'be') state.described = state.clauseSubject();
  else if (!state.isJoined() && state.previousKind !== 'adjective') state.described = [];
  for (const { entity } of state.described) entity.attributes.push({ text, lemma: text });
}
