import { RequestFailure } from '../endpoints/request-failure.js';
import { fieldsOf } from '../files/json/json-value.js';
import type { Reply, Tokens } from '../records/answer.js';

/** The maximum length of an answer in UTF-16 code units; a longer text is not a caption and is cut off. */
const MAX_TEXT = 8000;

/**
 * Parses a chat completion. It removes the thoughts of a reasoning model, and quotation marks around the whole text.
 * @throws RequestFailure if the value is not a chat completion
 */
export function chatReply(completion: unknown): Reply {
  const { choices, usage } = fieldsOf(completion);
  const { message, finish_reason: finish } = fieldsOf(Array.isArray(choices) ? choices[0] : undefined);
  const { content, refusal } = fieldsOf(message);
  if (typeof content !== 'string' && content !== null && typeof refusal !== 'string') {
    throw new RequestFailure(
      'malformed',
      "the server's answer is not a chat completion: choices[0].message.content is missing",
    );
  }
  const text = withoutThoughts(typeof content === 'string' ? content : '');
  const tokens = tokensOf(usage);
  return {
    text,
    ...((typeof refusal === 'string' || finish === 'content_filter' || isRefusalReply(text)) && { refused: true }),
    ...(finish === 'length' && { cut: true }),
    ...(tokens && { tokens }),
  };
}

function withoutThoughts(content: string): string {
  const text = content
    .slice(0, MAX_TEXT)
    .replace(/^\s*<think>.*?<\/think>/s, '')
    .trim();
  return /^["“](.*)["”]$/s.exec(text)?.[1]?.trim() ?? text;
}

function tokensOf(usage: unknown): Tokens | undefined {
  const { prompt_tokens: input, completion_tokens: output } = fieldsOf(usage);
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return isCount(input) && isCount(output) ? { input, output } : undefined;
}

/** Beginnings of the answers of models that refuse to describe an image. */
const REFUSALS: readonly RegExp[] = [
  /^(?:i['’]m |i am )?(?:very |so |really )?sorry\b/i,
  /^(?:unfortunately,? )?(?:but )?i (?:can['’]?t|cannot|can not|could not|couldn['’]t|won['’]t|will not|am unable|['’]m unable|am not able|do not feel comfortable)\b/i,
  /^i['’]m (?:unable|not able|not comfortable)\b/i,
  /^(?:unfortunately|apologies|my apologies|i apologi[sz]e)\b/i,
  /^as an? (?:ai|artificial|language|large language)\b/i,
];

/** Returns whether a text is a refusal and not a description of the image. */
export function isRefusalReply(text: string): boolean {
  return REFUSALS.some((pattern) => pattern.test(text));
}
