/** Returns the set of the words of a list, which blanks and line breaks separate. */
export const wordSet = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));
