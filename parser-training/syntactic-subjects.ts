import type { WordSyntax } from './label-syntax.js';

/** More than the dependencies between an object and its subject. */
const MOST_STEPS = 10;

/**
 * Returns the subjects of the relation that a noun is the object of, by the dependencies of its sentence: for "a dog lying on a mat", of
 * `mat`, `dog`. What is joined by "and" counts: "a dog and a cat on a mat". It is empty for a noun that is not an object.
 * @param object index of the noun
 * @param isPhrase tells whether a noun is the head of a phrase; `front` in "in front of" and `group` in "a group of boys" are not
 * @returns indices of words
 */
export function syntacticSubjects(
  syntax: readonly WordSyntax[],
  object: number,
  isPhrase: (word: number) => boolean,
): number[] {
  let word = object;
  for (let step = 0; step < MOST_STEPS; step++) {
    const { dependency, head } = syntax[word]!;
    if (head === word) return [];
    if ((dependency === 'conj' || dependency === 'appos') && !isVerb(syntax[head]!)) word = head;
    else if (dependency === 'pobj' || dependency === 'pcomp') {
      const site = attachedTo(syntax, head);
      if (site === undefined) return [];
      if (isVerb(syntax[site.word]!)) return withJoined(syntax, subjectOfVerb(syntax, site.word), isPhrase);
      // "in front of a house": what is attached to `front` is attached to what that is attached to.
      const isPlace =
        !isPhrase(site.word) &&
        !dependents(syntax, site.word, /^prep$/).some((other) => other < site.preposition) &&
        /^(?:pobj|dobj)$/.test(syntax[site.word]!.dependency);
      if (!isPlace) return withJoined(syntax, site.word, isPhrase);
      word = site.word;
    } else if (/^(?:dobj|attr|oprd|dative)$/.test(dependency)) {
      const subject = subjectOfVerb(syntax, head);
      return subject === word ? [] : withJoined(syntax, subject, isPhrase);
    } else return [];
  }
  return [];
}

const isVerb = ({ pos }: WordSyntax) => pos === 'VERB' || pos === 'AUX';

function dependents(syntax: readonly WordSyntax[], head: number, kinds: RegExp): number[] {
  const found: number[] = [];
  for (const [k, one] of syntax.entries())
    if (one.head === head && k !== head && kinds.test(one.dependency)) found.push(k);
  return found;
}

/** Returns the noun or verb to which a preposition is attached, with the first of its prepositions: `out` of "out of". */
function attachedTo(syntax: readonly WordSyntax[], last: number) {
  let preposition = last;
  for (;;) {
    const { head } = syntax[preposition]!;
    if (head === preposition) return undefined;
    if (!/^(?:ADP|SCONJ|ADV|PART)$/.test(syntax[head]!.pos)) break;
    preposition = head;
  }
  const word = syntax[preposition]!.head;
  // "is full of", "covered in"
  const { pos, dependency, head } = syntax[word]!;
  const isAdjective = pos === 'ADJ' && /^(?:acomp|oprd|amod|acl)$/.test(dependency);
  return { preposition, word: isAdjective ? head : word };
}

/** Returns the subject of a verb: its own, what it describes, or that of the verb around it. */
function subjectOfVerb(syntax: readonly WordSyntax[], verb: number): number | undefined {
  let word = verb;
  for (let step = 0; step < MOST_STEPS; step++) {
    const [own] = dependents(syntax, word, /^nsubj(?:pass)?$/).filter(
      (one) => !/^(?:WDT|WP|EX)$/.test(syntax[one]!.tag),
    );
    if (own !== undefined) return own;
    const { dependency, head } = syntax[word]!;
    // "There is a man"
    if (head === word) return dependents(syntax, word, /^attr$/)[0];
    const around = dependency === 'pcomp' ? syntax[head]!.head : head;
    if (!/^(?:acl|relcl|amod|appos|pcomp|advcl|xcomp|conj|ccomp|dep|parataxis)$/.test(dependency)) return undefined;
    if (!isVerb(syntax[around]!)) return around;
    if (dependency === 'xcomp') {
      const [object] = dependents(syntax, around, /^dobj$/);
      if (object !== undefined) return object;
    }
    word = around;
  }
  return undefined;
}

/** Returns a noun with what is joined to it, each as the head of its phrase: `boys` of "a group of boys". */
function withJoined(
  syntax: readonly WordSyntax[],
  first: number | undefined,
  isPhrase: (word: number) => boolean,
): number[] {
  const found: number[] = [];
  const waiting = first === undefined ? [] : [first];
  for (let word = waiting.pop(); word !== undefined; word = waiting.pop()) {
    found.push(collected(syntax, word, isPhrase));
    waiting.push(...dependents(syntax, word, /^conj$/).filter((one) => !isVerb(syntax[one]!)));
  }
  return found;
}

function collected(syntax: readonly WordSyntax[], noun: number, isPhrase: (word: number) => boolean): number {
  let word = noun;
  while (!isPhrase(word)) {
    const [preposition] = dependents(syntax, word, /^prep$/);
    const [member] = preposition === undefined ? [] : dependents(syntax, preposition, /^pobj$/);
    if (member === undefined || member <= word) return word;
    word = member;
  }
  return word;
}
