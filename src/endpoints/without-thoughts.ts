/** A text of a model, and whether thoughts were cut from it. */
export interface AnswerWithoutThoughts {
  /** Empty if the model wrote nothing but thoughts. */
  readonly text: string;
  readonly hasThoughts: boolean;
}

/** Words of which the names of thinking blocks are composed: `think`, `seed:think`, `chain_of_thought`, `inner_monologue`. */
const THINKING =
  '(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion|ing)?|analysis|scratch_?pad|rationale|deliberate|deliberation|monologue|ponder(?:ing)?|cot)';
const NAME = `(?:[a-z]+[:_-])*${THINKING}(?:[:_-][a-z]+)*`;

/**
 * Marks of thinking blocks: tags such as `<think>`, `</thinking>`, `<|begin_of_thought|>`, `◁/think▷`, `[THINK]`, Open
 * WebUI's `<details type="reasoning">`, and MedGemma's `<unused94>thought`.
 */
const MARK = new RegExp(
  [
    `(?:<\\|?|◁|\\[)\\s*(?<close>/|end_?of_?)?(?:begin_?of_?|start_?of_?)?${NAME}(?:\\s[^<>]*)?\\s*(?:\\|?>|▷|\\])`,
    '<details[^<>]*\\btype="reasoning"[^<>]*>',
    '(?<closeDetails></details>)',
    '<unused94>',
    '(?<closeUnused><unused95>)',
  ].join('|'),
  'gi',
);

/** The final channel of a harmony answer (gpt-oss), with its special tokens or as a server leaves it without them. */
const FINAL_CHANNEL =
  /^(?:.*<\|channel\|>final(?:<\|constrain\|>\w+)?<\|message\|>|(?:assistant)?analysis.*assistantfinal)/is;
const OTHER_CHANNEL = /^\s*(?:<\|start\|>assistant)?<\|channel\|>|^(?:assistant)?analysis(?=[A-Z])/;
const END_OF_CHANNEL = /<\|(?:end|return|call)\|>.*$/is;

/** Wrappers around the answer that follows the thoughts. */
const ANSWER =
  /^\s*(?:<(?<tag>answer|final|final_answer|response|output|caption)>(?<tagged>.*?)(?:<\/\k<tag>>|$)|<\|begin_of_(?:box|solution)\|>(?<boxed>.*?)(?:<\|end_of_(?:box|solution)\|>|$))\s*$/is;

/**
 * Cuts the thoughts of a reasoning model from its answer: blocks of whatever name, also if they are not closed, as in an
 * answer that was cut off, or not opened, since some servers put the opening tag into the prompt; and all channels but the
 * final one.
 */
export function withoutThoughts(answer: string): AnswerWithoutThoughts {
  const channels = withoutChannels(answer);
  const { text, hasThoughts } = withoutBlocks(channels.text);
  const { tagged, boxed } = ANSWER.exec(text)?.groups ?? {};
  return { text: (tagged ?? boxed ?? text).trim(), hasThoughts: hasThoughts || channels.hasThoughts };
}

function withoutChannels(answer: string): AnswerWithoutThoughts {
  const [before] = FINAL_CHANNEL.exec(answer) ?? [];
  if (before !== undefined)
    return { text: answer.slice(before.length).replace(END_OF_CHANNEL, ''), hasThoughts: OTHER_CHANNEL.test(before) };
  return OTHER_CHANNEL.test(answer) ? { text: '', hasThoughts: true } : { text: answer, hasThoughts: false };
}

function withoutBlocks(answer: string): AnswerWithoutThoughts {
  let kept = '';
  let start = 0;
  let isThinking = false;
  let hasThoughts = false;
  for (const mark of answer.matchAll(MARK)) {
    const { close, closeDetails, closeUnused } = mark.groups!;
    const closes = close ?? closeDetails ?? closeUnused;
    // Other details than those of thoughts, and words in brackets, do not count.
    if (closeDetails !== undefined && !isThinking) continue;
    if (mark[0].startsWith('[') && mark[0] !== mark[0].toUpperCase()) continue;
    hasThoughts = true;
    if (closes === undefined && !isThinking) kept += answer.slice(start, mark.index);
    // Everything before a block that was not opened is a thought.
    if (closes !== undefined && !isThinking) kept = '';
    isThinking = closes === undefined;
    start = mark.index + mark[0].length;
  }
  return { text: isThinking ? kept : kept + answer.slice(start), hasThoughts };
}
