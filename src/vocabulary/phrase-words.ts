/**
 * The words of a phrase as vocabularies compare them: lower case, without accents or possessive `'s`, parted at blanks,
 * hyphens, slashes, underscores and any other sign: `Catcher's T-shirt` → `catcher`, `t`, `shirt`.
 */
export function phraseWords(phrase: string): string[] {
  const plain = /^[a-z0-9 ]*$/.test(phrase) ? phrase : simplify(phrase);
  return plain.split(' ').filter((word) => word !== '');
}

const simplify = (phrase: string) =>
  phrase
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’](?:s\b)?/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ');
