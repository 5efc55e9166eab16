import { createHash } from 'node:crypto';
import { accessToken } from '../../endpoints/access-token.js';
import { CachedAnswers, type CachedAnswersOptions } from '../../endpoints/cached-answers.js';
import { checkEndpointUrl } from '../../endpoints/check-endpoint-url.js';
import { generatedText } from '../../endpoints/generated-text.js';
import { postJson } from '../../endpoints/post-json.js';
import { redactor } from '../../endpoints/redactor.js';
import { RequestFailure } from '../../endpoints/request-failure.js';
import { OptionError, RecordError } from '../../errors.js';
import { factualProblem, parseFactual } from '../../records/factual-graph.js';
import type { ParseContext, TextParser } from '../../records/ports.js';
import { maxCaptionLength } from '../language/tokenize.js';
import { fromFactual } from './from-factual.js';

/** Options of `factualT5`: the endpoint or model, besides request policy and answer store. */
export interface FactualT5Options extends CachedAnswersOptions {
  /** URL of a Hugging Face endpoint for text2text-generation, or of a server with the same protocol. */
  readonly endpointUrl?: string;
  /**
   * Model on Hugging Face's serverless inference, `owner/name`. With `endpointUrl` it is only the name under which answers are
   * stored; default then `lizhuang144/flan-t5-base-VG-factual-sg`.
   */
  readonly model?: string;
  /** File that contains the access token; default: the environment variable `RELFLOW_TOKEN` or `HF_TOKEN`, see `accessToken`. */
  readonly tokenFile?: string;
}

const name = 'factual-t5';
const MODEL = 'lizhuang144/flan-t5-base-VG-factual-sg';
const ROUTER = 'https://router.huggingface.co/hf-inference/models/';
const PROMPT = 'Generate Scene Graph: ';
const GENERATION = { max_length: 512, num_beams: 1, do_sample: false };
/** Number of parts of a fact: three for relations and attributes, one for entities. */
const FACT_LENGTHS = new Set([1, 3]);

/**
 * Makes a parser that sends captions to a FACTUAL-T5 model on a server. It shares the request policy and the answer store
 * with the captioners, so no caption is paid for twice. An answer must be well formed up to its last bracket, such as
 * `( man , ride , horse ) , ( horse , is , brown )`; otherwise the graph is empty and counted as `malformed-graph`. An empty
 * answer also yields an empty graph and is counted as `empty-graph`.
 *
 * `parse` throws a RecordError `no-answer` when the model does not answer, and an EndpointError when no more requests can be
 * sent.
 *
 * Source: FACTUAL (Li et al., 2023), the prompt and output format of its models.
 *
 * @throws OptionError when options conflict or are out of range
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, factualT5, Graph, parse } from 'relflow';
 *
 * new Graph('factual')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse(factualT5({ endpointUrl: 'http://127.0.0.1:8080' })));
 * ```
 */
export function factualT5(options: FactualT5Options): TextParser {
  const { model, tokenFile } = options;
  if (options.endpointUrl === undefined && !model)
    throw new OptionError(name, 'expected endpointUrl or model, found neither');
  if (options.endpointUrl === undefined && !/^\w[\w.-]*\/\w[\w.-]*$/.test(model!)) {
    throw new OptionError(name, `model '${model}', expected owner/name`);
  }
  const url = checkEndpointUrl(name, options.endpointUrl ?? `${ROUTER}${model}`);
  const question = { protocol: name, model: model ?? MODEL, prompt: PROMPT, parameters: GENERATION };
  const answers = new CachedAnswers(name, question, { input: 40, output: 80 }, options);
  const never = new AbortController().signal;
  let token: Promise<string | undefined> | undefined;

  async function send(caption: string, signal: AbortSignal) {
    token ??= accessToken(tokenFile, options.endpointUrl === undefined ? undefined : url);
    const secret = await token;
    const body = JSON.stringify({ inputs: PROMPT + caption, parameters: GENERATION });
    return { text: generatedText(await postJson(url, body, { token: secret, signal }), redactor(secret)) };
  }

  return {
    name,
    version: '1',
    options: { model: question.model },
    maxLength: maxCaptionLength,
    recordsAtOnce: Math.max(4, answers.concurrency),
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
        throw new RecordError('no-answer', `${name}: no graph for "${text}": ${error.message}`);
      }
    },
  };
}

const normalizeCaption = (caption: string) => caption.slice(0, maxCaptionLength).replace(/\s+/g, ' ').trim();

const subjectOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Returns what is wrong with the format of an answer; undefined when nothing is. */
function formatProblem(text: string): string | undefined {
  const problem = factualProblem(text);
  if (problem !== undefined) return problem;
  const facts = text
    .trim()
    .slice(1, -1)
    .split(/\)\s*,\s*\(/);
  const odd = facts.find((fact) => !FACT_LENGTHS.has(fact.split(',').length));
  return odd === undefined ? undefined : `expected facts of 1 or 3 parts, found (${odd})`;
}
