import { fieldsOf } from '../files/json/json-value.js';
import type { Reply, Tokens } from '../records/answer.js';
import { quotedMessage } from './quoted-message.js';
import { RequestFailure } from './request-failure.js';
import { withoutThoughts } from './without-thoughts.js';

/** The maximum length of a caption in UTF-16 code units; a longer text is not a caption and is cut off. */
const MAX_TEXT = 8000;

/**
 * Parses a chat completion: the captions of all its choices, without the thoughts of a reasoning model, and without quotation
 * marks around a whole text.
 * @param redact removes secrets from quoted texts of the server
 * @throws RequestFailure (`malformed`) with the server's own message and the tokens that it billed if the value has no answer
 */
export function chatReply(completion: unknown, redact: (text: string) => string = (text) => text): Reply {
  const { choices, usage, error, object } = fieldsOf(completion);
  const tokens = tokensOf(usage);
  const fail = (problem: string) => new RequestFailure('malformed', problem, tokens ? { tokens } : {});
  const quoted = (value: unknown) => quotedMessage(JSON.stringify(value) ?? '', redact);
  if (!Array.isArray(choices) || choices.length === 0) {
    if ((error !== undefined && error !== null) || object === 'error')
      throw fail(`the server answered 200 with an error: ${quoted(completion)}`);
    throw fail(
      `the server's answer is not a chat completion: expected choices, found ${quoted(completion) || 'an empty answer'}`,
    );
  }
  const replies = choices.map((choice) => choiceOf(choice, (problem) => fail(`${problem}: ${quoted(choice)}`)));
  const captions = replies.filter(({ text, refused }) => !refused && text !== '');
  const [first = replies[0]!, ...others] = captions;
  return {
    text: first.text,
    ...(others.length > 0 && { others: others.map(({ text }) => text) }),
    ...(captions.length === 0 && replies.some(({ refused }) => refused) && { refused: true }),
    ...(replies.some(({ cut }) => cut) && { cut: true }),
    ...(replies.some(({ thoughts }) => thoughts) && { thoughts: true }),
    ...(tokens && { tokens }),
  };
}

type Choice = Omit<Reply, 'others' | 'tokens'>;

/** Parses one choice of a completion. */
function choiceOf(choice: unknown, fail: (problem: string) => RequestFailure): Choice {
  const { message, finish_reason: finish } = fieldsOf(choice);
  const { content, refusal, reasoning, reasoning_content: reasoningContent, tool_calls: toolCalls } = fieldsOf(message);
  const written = textOf(content);
  const isReasoning = [reasoning, reasoningContent].some((text) => typeof text === 'string' && text !== '');
  const hasContent = written !== null || content === null || isReasoning || Array.isArray(toolCalls);
  if (!hasContent && typeof refusal !== 'string')
    throw fail("the server's answer is not a chat completion: expected message.content as a text");
  const { text, hasThoughts } = withoutThoughts(written ?? '');
  const caption = withoutQuotes(text.slice(0, MAX_TEXT).trim());
  return {
    text: caption,
    ...((typeof refusal === 'string' || finish === 'content_filter' || isRefusalReply(caption)) && { refused: true }),
    ...(finish === 'length' && { cut: true }),
    ...((hasThoughts || isReasoning) && { thoughts: true }),
  };
}

/** Returns the text of a message, which some servers send in parts; null if it has none. Parts with thoughts are left out. */
function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((part) => {
    if (typeof part === 'string') return part;
    const { type, text } = fieldsOf(part);
    return typeof text === 'string' && (type === undefined || type === 'text' || type === 'output_text') ? text : [];
  });
  return texts.join('');
}

const withoutQuotes = (text: string): string => /^["“](.*)["”]$/s.exec(text)?.[1]?.trim() ?? text;

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
function isRefusalReply(text: string): boolean {
  return REFUSALS.some((pattern) => pattern.test(text));
}
