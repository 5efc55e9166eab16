const nonFinite = ['-Infinity', 'Infinity', 'NaN'];

/** Without a score, a detection counts as certain, so a score that is NaN must not become null. */
const scoreKey = /"score"\s{0,8}:\s{0,8}$/;

/**
 * Replaces `NaN`, `Infinity` and `-Infinity` outside of strings by `null`: Python writes them although they are not
 * JSON. In a field `score`, each becomes a number that JavaScript reads as infinite.
 */
export function nonFiniteAsNull(json: string): string {
  const parts: string[] = [];
  let done = 0;
  let i = 0;
  while (i < json.length) {
    const char = json[i];
    if (char === '"') i = afterString(json, i);
    else if (char === 'N' || char === 'I' || char === '-') {
      const word = nonFinite.find((w) => json.startsWith(w, i));
      if (word === undefined) i++;
      else {
        parts.push(json.slice(done, i), scoreKey.test(json.slice(Math.max(0, i - 24), i)) ? '1e999' : 'null');
        done = i += word.length;
      }
    } else i++;
  }
  parts.push(json.slice(done));
  return parts.join('');
}

/** Returns the index after the string whose opening quote is at `from`. */
export function afterString(json: string, from: number): number {
  let i = from + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i + 1;
}
