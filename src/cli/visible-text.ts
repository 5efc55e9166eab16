/** Control characters, characters that change the direction of text, and other line separators. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Replaces characters that a terminal would obey or that hide text by what a person can read: an escape character becomes
 * `\x1b`, a line feed `\n`, a right-to-left override `\u202e`. Strings in JSON keep their values.
 */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? escaped(character.charCodeAt(0)));
}

function escaped(code: number): string {
  // JSON text contains none of the characters below 0x20, and its strings know only the long form.
  return code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Applies `visibleText` to each line of a text whose line feeds were made by relflow. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}

/** Like `visibleLines`, for a text that relflow has styled too, such as help. */
export function visibleStyledLines(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences that style text
  const parts = text.split(/(\n|\u001b\[\d+m)/);
  return parts.map((part, index) => (index % 2 === 0 ? visibleText(part) : part)).join('');
}
