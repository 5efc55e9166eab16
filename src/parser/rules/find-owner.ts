import { possessives } from '../language/closed-classes.js';
import { isAbstract, isAnimate } from '../language/noun-classes.js';
import { wordSet } from '../language/word-set.js';
import type { NounPhrase } from './noun-phrase.js';
import type { PendingPredicate, ReadingState } from './reading-state.js';

/** Finds whose a phrase with a possessive pronoun is: in "a man with a bat in his hand" the man's. */
export function findOwner(state: ReadingState, phrase: NounPhrase): void {
  const { determiner, entity, nounClass } = phrase;
  if (!determiner || !possessives.has(determiner.text)) return;
  const { pending, antecedents } = state;
  const subjects = pending?.subjects ?? [];
  const likely = [subjects, state.agent, state.subject, state.nearest];
  const context = { subjects: [], subject: [], isObject: true, isContainer: false, originOf: state.originOf };
  const isOthers = nounClass === 'bodyPart' && pending !== undefined && isOfAnother(pending);
  const others = isOthers ? likely.filter((group) => group[0] !== subjects[0]) : [];
  const { text: word } = determiner;
  const another = isOthers
    ? antecedents.of(word, determiner, { ...context, subjects, likely: others, isAlive: true }, true)
    : [];
  const owners = another.length > 0 ? another : antecedents.of(word, determiner, { ...context, likely }, true);
  const isThere = !pending || (state.isStated(pending) && !/without$/.test(pending.text));
  if (owners.length > 0 && isThere && nounClass !== 'time' && !isAbstract(entity.lemma))
    state.possessions.set(phrase, { owners, word });
}

/** Checks whether the subject of a predicate is hardly the owner of a part of a body: "a bell hangs from its neck", "a bird sits on its back". */
function isOfAnother({ subjects, preposition, verb }: PendingPredicate): boolean {
  const [subject] = subjects ?? [];
  if (!subject || preposition === '' || /with$|of$/.test(preposition)) return false;
  return !isAnimate(subject.nounClass) || (preposition === 'on' && perches.has(verb ?? ''));
}

/** What one does on another's back or shoulder. */
const perches = wordSet('sit perch ride rest climb');
