/**
 * Returns a function that tells whether the words around two phrases of a caption make their relation untrue, only possible, a figure
 * of speech or a part of two clauses.
 */
export function deniedParts(caption: string): (start: number, end: number) => boolean {
  let figures: readonly (readonly [number, number])[] | undefined;
  let hasNeither = false;
  return (start, end) => {
    if (figures === undefined) {
      figures = [...caption.matchAll(sameTwice)].map(({ index, 0: { length } }) => [index, index + length]);
      hasNeither = /\bneither\b/i.test(caption);
    }
    return (
      denials.test(caption.slice(start, end)) ||
      otherClause.test(caption.slice(start, end)) ||
      otherObject.test(caption.slice(start, end)) ||
      deniedPhrase.test(caption.slice(Math.max(0, start - longestDenial), start)) ||
      (hasNeither && neither.test(caption.slice(0, end))) ||
      figures.some(([from, to]) => (start >= from && start < to) || (end > from && end <= to))
    );
  };
}

const denials =
  /\b(?:not|no|never|without|neither|nor|no(?:body|ne|thing)|almost|nearly|barely|hardly|about to|as if|as though|instead|pretend\w*|tr(?:y|ies|ying) to|ready to|prepar\w* to|attempt\w*)\b|n['’]t\b/i;

/** "a man holding reins, and there is a barn": the man does not hold the barn. */
const otherClause = /(?:,|;|\band|\bwhile|\bas)\s+there(?:\s+(?:is|are)|['’]s)\b/i;

/** "holding it in her hand" is not about holding the hand. */
const otherObject = /\b[a-z]+(?:ing|s) (?:it|them) (?:in|on|with|to|over|under|against) (?:his|her|its|their)\b/i;

/** "not a cow" */
const deniedPhrase = /(?:\b(?:not|no|without|nor)|n['’]t)\s+(?:(?:a|an|the|any)\s+)?$/i;
const longestDenial = 16;

/** `neither` denies the rest of its sentence. */
const neither = /\bneither\b[^.;!?\n]*$/i;

/** "hand in hand", "side by side", and objects that are part of their verb */
const sameTwice = /\b([a-z]+) (?:in|by|to|for) \1\b|\btak(?:e|es|ing|en) place\b/gi;

/** Returns a function that tells whether a clause about a thing begins between two offsets: "whose", "on which". */
export function innerClauses(caption: string): (start: number, end: number) => boolean {
  let offsets: readonly number[] | undefined;
  return (start, end) => {
    offsets ??= [...caption.matchAll(innerClause)].map(({ index }) => index);
    return offsets.some((offset) => offset >= start && offset < end);
  };
}

const innerClause = /\bwhose\b|\b(?:in|on|at|by|to|from|with|of|under|through|over|near|above|below) wh(?:ich|om)\b/gi;

/** What only the rules find with these verbs is an impression, such as "contrasting with" or "suggesting". */
export const isImpression = (lemma: string): boolean => impressions.test(lemma);
const impressions =
  /^(?:add|characterize|complement|contrast|contribute|convey|create|emphasize|enhance|evoke|exude|indicate|lend|provide|reflect on|signify|suggest|symbolize)\b/;
