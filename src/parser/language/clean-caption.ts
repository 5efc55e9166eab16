/**
 * Blanks what does not belong to a caption's text: tags, special tokens of models, Markdown, list numbers, hashtags and emoji; entities become their
 * characters. The result is as long as the caption, so that offsets stay.
 */
export function cleanCaption(caption: string): string {
  if (isPlain.test(caption) || !unusual.test(caption)) return caption;
  let text = caption;
  text = text.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|(amp|lt|gt|quot|apos|nbsp|rsquo|lsquo));('?s\b)?/gi, decoded);
  text = text.replace(/<\|?\/?[a-z!][^<>\n]{0,60}>|\[\/?[A-Z]{2,6}\]/gi, (tag) =>
    /^<(?:p|li|\/p|\/li|div|\/div)\b/i.test(tag) ? lineBreak(tag) : blank(tag),
  );
  text = text.replace(/(?<![\p{L}\p{N}&])#[\p{L}\p{N}_]+/gu, blank);
  text = text.replace(/(?<=^|[\n.!?:]\s*)(?:[-*•+]|\d{1,2}[.)]|#{1,6})(?=\s)/g, (mark) => `${blank(mark.slice(1))};`);
  text = text.replace(/\*+|__+|`+|^#+/gm, blank);
  return text.replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f/gu, (sign) =>
    /\d/.test(sign) ? sign : blank(sign),
  );
}

/** Most captions are so, which is faster to check. */
const isPlain = /^[a-zA-Z ,.]*$/;

/** What needs cleaning has some of these. */
const unusual = /[&<>[\]#*_`•+]|^\s*[-\d]|[.!?:\n]\s*[-\d]|\p{Extended_Pictographic}/u;

const blank = (text: string) => ' '.repeat(text.length);
const lineBreak = (text: string) => `\n${' '.repeat(text.length - 1)}`;

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  rsquo: "'",
  lsquo: "'",
};

/** Returns an entity's character, with what follows an apostrophe and then blanks: `&#39;s` → `'s` and four blanks. */
function decoded(all: string, decimal?: string, hex?: string, name?: string, ending = ''): string {
  const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '0', 16);
  const sign = name ? named[name.toLowerCase()]! : code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
  return (sign + ending).padEnd(all.length).slice(0, all.length);
}
