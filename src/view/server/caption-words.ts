/** Returns the words of a text in lower case: runs of letters and digits. */
export const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Returns the words of captions in one text, each between spaces: ` a man on a horse `. */
export function captionWords(captions: readonly { readonly text: string }[]): string {
  const words = captions.flatMap(({ text }) => wordsOf(text));
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}
