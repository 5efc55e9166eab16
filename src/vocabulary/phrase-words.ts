/**
 * Returns the words of a phrase as vocabularies compare them: lower case, without accents or possessive `'s`, split at blanks,
 * hyphens, slashes, underscores and any other sign: `Catcher's T-shirt` → `catcher`, `t`, `shirt`.
 */
export function phraseWords(phrase: string): string[] {
  const normalized = /^[a-z0-9 ]*$/.test(phrase) ? phrase : normalize(phrase);
  return normalized.split(' ').filter((word) => word !== '');
}

const normalize = (phrase: string) =>
  phrase
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’](?:s\b)?/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ');
