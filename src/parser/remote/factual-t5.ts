import { createHash } from 'node:crypto';
import { accessToken, redactor } from '../../endpoints/access-token.js';
import { CachedAnswers, type CachedAnswersOptions } from '../../endpoints/cached-answers.js';
import { endpointUrl as checkedUrl } from '../../endpoints/endpoint-url.js';
import { generatedText, postJson } from '../../endpoints/post-json.js';
import { RequestFailure } from '../../endpoints/request-failure.js';
import { OptionError, RecordError } from '../../errors.js';
import { factualProblem, parseFactual } from '../../records/factual-graph.js';
import type { ParseContext, TextParser } from '../../records/ports.js';
import { maxCaptionLength } from '../language/tokenize.js';
import { fromFactual } from './from-factual.js';

/** What `factualT5` is told. */
export interface FactualT5Options extends CachedAnswersOptions {
  /** An endpoint for text2text-generation, or a server that speaks as it does. */
  readonly endpointUrl?: string;
  /** A model on Hugging Face's own inference; with `endpointUrl` only its name. Default, with an endpoint: `flan-t5-base-VG-factual-sg`. */
  readonly model?: string;
  /** A file that holds the token; without it `RELFLOW_TOKEN` or `HF_TOKEN` of the environment, see `accessToken`. */
  readonly tokenFile?: string;
}

const name = 'factual-t5';
const MODEL = 'lizhuang144/flan-t5-base-VG-factual-sg';
const ROUTER = 'https://router.huggingface.co/hf-inference/models/';
const PROMPT = 'Generate Scene Graph: ';
const GENERATION = { max_length: 512, num_beams: 1, do_sample: false };
/** Of a FACTUAL graph: relations of three parts, attributes likewise, entities of one. */
const FACT_LENGTHS = new Set([1, 3]);

/**
 * A parser over an endpoint of FACTUAL-T5, with the policy and the store of the captioners: no caption is paid for twice.
 * What it writes, `( man , ride , horse ) , ( horse , is , brown )`, has to be in that form to the last bracket; else the
 * caption has an empty graph and is counted (`malformed-graph`), as is one without any answer in it (`empty-graph`).
 *
 * `parse` throws a RecordError `no-answer` where there is none, and EndpointError where nothing is asked any more.
 *
 * @throws OptionError where options do not fit together or are out of range
 * Source: FACTUAL (Li et al., 2023), its models' prompt and form.
 */
export function factualT5(options: FactualT5Options): TextParser {
  const { model, tokenFile } = options;
  if (options.endpointUrl === undefined && !model)
    throw new OptionError(name, "expected an endpointUrl or a model's name");
  if (options.endpointUrl === undefined && !/^\w[\w.-]*\/\w[\w.-]*$/.test(model!)) {
    throw new OptionError(name, `model '${model}', expected owner/name`);
  }
  const url = checkedUrl(name, options.endpointUrl ?? `${ROUTER}${model}`);
  const question = { protocol: name, model: model ?? MODEL, prompt: PROMPT, parameters: GENERATION };
  const answers = new CachedAnswers(name, question, { input: 40, output: 80 }, options);
  const never = new AbortController().signal;
  let token: Promise<string | undefined> | undefined;

  async function send(caption: string, signal: AbortSignal) {
    token ??= accessToken(tokenFile, options.endpointUrl === undefined ? undefined : url);
    const secret = await token;
    const body = JSON.stringify({ inputs: PROMPT + caption, parameters: GENERATION });
    return { text: generatedText(await postJson(url, body, { token: secret, redact: redactor(secret), signal })) };
  }

  return {
    name,
    version: '1',
    options: { model: question.model },
    maxLength: maxCaptionLength,
    recordsAtOnce: Math.max(4, answers.atOnce),
    usage: () => ({ ...answers.usage }),
    close: () => answers.close(),
    forecast: (caption) => answers.forecast(subjectOf(normalizeCaption(caption)), [0]),
    async parse(caption, { signal, count }: ParseContext = { signal: never, count: () => {} }) {
      const text = normalizeCaption(caption);
      if (text === '') return { entities: [], relations: [] };
      const prepare = async () => (attempt: AbortSignal) => send(text, attempt);
      try {
        const reply = await answers.answer({ subject: subjectOf(text), seed: 0, prepare }, signal);
        const problem = formatProblem(reply.text);
        if (problem === undefined) return fromFactual(caption, parseFactual(reply.text.toLowerCase()));
        count(reply.text === '' ? 'empty-graph' : 'malformed-graph');
        return { entities: [], relations: [] };
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        throw new RecordError('no-answer', `${name}: no graph of "${text}": ${error.message}`);
      }
    },
  };
}

const normalizeCaption = (caption: string) => caption.slice(0, maxCaptionLength).replace(/\s+/g, ' ').trim();

const subjectOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** What keeps an answer from being a graph; undefined where nothing does. */
function formatProblem(text: string): string | undefined {
  const problem = factualProblem(text);
  if (problem !== undefined) return problem;
  const facts = text
    .trim()
    .slice(1, -1)
    .split(/\)\s*,\s*\(/);
  const odd = facts.find((fact) => !FACT_LENGTHS.has(fact.split(',').length));
  return odd === undefined ? undefined : `a fact of other parts than three: (${odd})`;
}
