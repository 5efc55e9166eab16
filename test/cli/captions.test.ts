import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import coco from '../../pipelines/coco-pipeline.js';
import { buildRecipe, type Forecast, type Recipe } from '../../src/index.js';
import { Random } from '../../src/records/random.js';
import { captionedScenes, SCENE_COUNT } from '../support/captioned-scenes.js';
import { command, relflow, SCENES } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { ModelServer, type ModelServerOptions } from '../support/model-server.js';

const TOKEN = 'hf_aVerySecretToken0123';

describe('relflow with a captioner', () => {
  const environment = { ...process.env };
  const servers: ModelServer[] = [];
  let store: string;

  before(() => {
    command();
    process.env['HF_TOKEN'] = TOKEN;
  });
  beforeEach(() => {
    store = join(temporaryFolder(), 'store');
    process.env['RELFLOW_STORE'] = store;
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  after(() => {
    for (const name of ['HF_TOKEN', 'RELFLOW_STORE']) {
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    }
  });

  async function serve(options: ModelServerOptions = {}): Promise<ModelServer> {
    const server = await ModelServer.start({ token: TOKEN, ...options });
    servers.push(server);
    return server;
  }

  it('counts the time of waiting for retries apart, and rates are of work', async () => {
    const server = await serve({ fault: ({ attempt }) => (attempt === 1 ? 'unavailable' : null) });
    const out = join(temporaryFolder(), 'graphs');
    const args = captionedScenes(server, '--requests-at-once', '100', '--out', out);
    const { code, stdout, stderr } = await relflow(['run', ...args]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^caption .* \d+\.\d\d s \+ \d+\.\d s waiting +\d+$/m);
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      stages: { stage: string; in: number; milliseconds: number; perSecond: number; usage?: Record<string, number> }[];
    };
    const stage = report.stages.find(({ stage: name }) => name === 'caption')!;
    const waited = stage.usage!['waitedSeconds']!;
    // All requests fail at first, and the first wait before a retry is half a second.
    assert.ok(waited >= 0.4 && waited < stage.milliseconds / 1000, `${waited} of ${stage.milliseconds} ms`);
    assert.equal(stage.perSecond, Math.round(stage.in / (stage.milliseconds / 1000 - waited)));
  });

  it('plan, run and a second run pay for each caption once, and the token appears nowhere', async () => {
    const random = new Random(1);
    const server = await serve({
      fault: ({ attempt }) => (attempt === 1 && random.next() < 0.2 ? 'unavailable' : null),
    });
    const prices = ['--price-input', '0.5', '--price-output', '1.5'];
    const output: string[] = [];
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await relflow(args);
      output.push(stdout, stderr);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const before = await ok('plan', ...captionedScenes(server, '--n-captions', '5', ...prices));
    assert.match(before, /caption: 120 of 120 answers for 24 records are missing; 0 are in the store/);
    assert.match(before, /cost about 0\.0\d+ at the prices given/);
    assert.equal(server.seen.length, 0);
    assert.ok(!existsSync(store), 'a plan creates no files');

    const out = join(temporaryFolder(), 'graphs');
    const run = await ok('run', ...captionedScenes(server, '--n-captions', '5', ...prices, '--out', out));
    assert.match(
      run,
      /caption: \d+ requests, 120 answered, \d+ retried, 36,000 input tokens, 1,440 output tokens, 0\.0202 spent/,
    );
    assert.match(await ok('validate', out), /valid/);
    const graphs = readFileSync(join(out, 'scene-graphs/00000.jsonl'), 'utf8').trim().split('\n');
    assert.equal(graphs.length, SCENE_COUNT);
    assert.ok(graphs.some((line) => (JSON.parse(line) as { relations: [] }).relations.length > 0));
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      stages: { stage: string; usage?: Record<string, number> }[];
    };
    const usage = report.stages.find(({ stage }) => stage === 'caption')!.usage!;
    assert.deepEqual([usage['answered'], usage['cached'], usage['requests']], [120, 0, server.seen.length]);

    const requests = server.seen.length;
    const plan = JSON.parse(
      await ok('plan', ...captionedScenes(server, '--n-captions', '10', ...prices), '--format', 'json'),
    ) as {
      models: [{ stage: string; records: number; forecast: Forecast }];
    };
    const [{ stage, records, forecast }] = plan.models;
    assert.deepEqual([stage, records, forecast.answers, forecast.missing], ['caption', 24, 240, 120]);
    assert.deepEqual(forecast.tokens, { input: 36_000, output: 1440 });
    assert.ok(Math.abs(forecast.cost - 0.02016) < 1e-9);
    const again = join(temporaryFolder(), 'again');
    const second = await ok('run', ...captionedScenes(server, '--n-captions', '5', '--out', again));
    assert.match(second, /caption: 120 cached/);
    assert.equal(server.seen.length, requests);
    assert.deepEqual(withoutRunState(digests(again)), withoutRunState(digests(out)));

    for (const text of [...output, ...contents(out), ...contents(store)]) assert.ok(!text.includes(TOKEN));
  });

  it('prints why a run stopped, its requests and how to resume it, without the token', async () => {
    const server = await serve({ fault: () => (server.seen.length >= 10 ? 'no-credit' : null) });
    const out = join(temporaryFolder(), 'graphs');
    const { code, stdout, stderr } = await relflow(['run', ...captionedScenes(server, '--out', out)]);
    assert.equal(code, 1);
    assert.match(stderr, /^relflow: hf-chat: the server answered 402: .*credits for Bearer \[token\]/m);
    assert.match(stderr, /caption: \d+ requests, \d+ answered/);
    assert.match(stderr, /to continue: relflow resume /);
    for (const text of [stdout, stderr, ...contents(out), ...contents(store)]) assert.ok(!text.includes(TOKEN));
    const good = await serve();
    const resumed = await relflow(['resume', out, '--endpoint-url', good.url]);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(server.answers.size + good.answers.size, SCENE_COUNT);
  });

  it('stays within its budget and resumes with a new one', async () => {
    const server = await serve();
    const out = join(temporaryFolder(), 'graphs');
    const { code, stderr } = await relflow([
      'run',
      ...captionedScenes(server, '--price-request', '1', '--budget', '10', '--out', out),
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /the next request could exceed the budget of 10, of which \d+ is spent \(after \d+ requests/);
    assert.equal(server.answers.size, 10);
    const resumed = await relflow(['resume', out, '--budget', '14']);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(server.answers.size, SCENE_COUNT);
    assert.equal(server.seen.length, SCENE_COUNT);
  });

  it('counts, exports, imports and deletes cached answers', async () => {
    const server = await serve({ fault: ({ body }) => (body['seed'] === 1 ? 'refusal' : null) });
    const folder = temporaryFolder();
    const captions = async (...args: string[]) => {
      const { code, stdout, stderr } = await relflow(['captions', ...args]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const out = join(folder, 'out');
    assert.equal((await relflow(['run', ...captionedScenes(server, '--n-captions', '3', '--out', out)])).code, 0);
    const { questions } = JSON.parse(await captions('stats', '--json')) as { questions: Record<string, unknown>[] };
    assert.equal(questions.length, 1);
    const { model, subjects, answers, refused, inputTokens } = questions[0]!;
    assert.deepEqual([model, subjects, answers, refused, inputTokens], ['tiny/vlm', 24, 72, 24, 21_600]);
    assert.match(await captions('stats'), /hf-chat +tiny\/vlm +Describe this image/);

    const file = join(folder, 'answers.jsonl');
    await captions('export', file);
    assert.match((await relflow(['validate', file])).stdout, /valid/);
    const other = join(folder, 'other');
    assert.match(await captions('import', file, '--store', other), /72 answers added, 0 already in the store/);
    assert.match(await captions('import', file, '--store', other), /0 answers added, 72 already in the store/);
    await captions('export', join(folder, 'again.jsonl'), '--store', other);
    assert.equal(readFileSync(join(folder, 'again.jsonl'), 'utf8'), readFileSync(file, 'utf8'));

    const byImage = join(folder, 'captions.json');
    await captions('export', byImage, '--dataset', 'instances');
    const texts = JSON.parse(readFileSync(byImage, 'utf8')) as Record<string, string[]>;
    assert.equal(Object.keys(texts).length, SCENE_COUNT);
    assert.ok(
      Object.values(texts).every((list) => list.length === 2),
      'without refusals',
    );
    const offline = [
      '--annotations',
      join(SCENES, 'instances.json'),
      '--captions',
      byImage,
      '--out',
      join(folder, 'off'),
    ];
    assert.equal((await relflow(['run', 'coco', ...offline])).code, 0);

    assert.equal(await captions('gc', '--useless', '--dry-run'), '24 answers would be deleted\n');
    assert.equal(await captions('gc', '--useless'), '24 answers deleted\n');
    assert.equal(await captions('gc', '--model', 'another'), '0 answers deleted\n');
    const requests = server.seen.length;
    await relflow(['run', ...captionedScenes(server, '--n-captions', '3', '--out', join(folder, 'third'))]);
    assert.equal(server.seen.length - requests, 24, 'only deleted answers are requested again');
    assert.equal(await captions('gc', '--before', '2999-01-01'), '72 answers deleted\n');
    assert.deepEqual(JSON.parse(await captions('stats', '--json')).questions, []);
  });

  it('imports the valid lines of a file and names the others', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    const good = {
      format: 'relflow.answer/1',
      question: { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: {} },
      subject: 'a'.repeat(64),
      seed: 0,
      reply: { text: 'a dog' },
      at: '2026-01-01T00:00:00.000Z',
    };
    writeFileSync(file, [JSON.stringify(good), '{', JSON.stringify({ ...good, seed: -1 })].join('\n'));
    const { code, stdout, stderr } = await relflow(['captions', 'import', file]);
    assert.equal(code, 1);
    assert.equal(stdout, '1 answers added, 0 already in the store\n');
    assert.match(
      stderr,
      /answers\.jsonl:2: not JSON\n.*answers\.jsonl:3: \/seed must be >= 0\n2 lines are not valid answers and were skipped/,
    );
  });

  it('rejects options that contradict each other before any work', async () => {
    const given = { annotations: 'x.json' };
    const chat = { ...given, images: 'x', captioner: 'hf-chat', endpointUrl: 'http://127.0.0.1:1' };
    const cases: [Record<string, unknown>, string][] = [
      [given, 'coco: expected one of --captions, --captioner and --parsed'],
      [{ ...chat, captions: 'x.json' }, 'coco: expected one of --captions, --captioner and --parsed'],
      [{ ...chat, parsed: 'x.json' }, 'coco: expected one of --captions, --captioner and --parsed'],
      [{ ...given, captions: 'x', model: 'm' }, 'coco: --model has no effect without --captioner'],
      [{ ...chat, captioner: 'blip' }, 'coco: --captioner "blip", expected one of hf-chat, hf-blip, transformers-js'],
      [
        { ...given, annotations: join(temporaryFolder(), 'x.json'), captioner: 'hf-chat' },
        'coco: --captioner hf-chat needs --images, the image folder',
      ],
      [{ ...given, images: 'x', captioner: 'hf-blip' }, 'coco: --captioner hf-blip needs --endpoint-url'],
      [{ ...given, images: 'x', captioner: 'transformers-js' }, 'coco: --captioner transformers-js needs --model'],
      [{ ...chat, dtype: 'q8' }, 'coco: --dtype has no effect with --captioner hf-chat'],
      [{ ...chat, parameters: '[1]' }, 'coco: --parameters [1], expected a JSON object'],
      [{ ...chat, budget: 1 }, 'hf-chat: budget 1 without prices, expected a price of input, output or request'],
      [{ ...chat, parser: 'factual' }, 'coco: --parser "factual", expected one of rules, neural, factual-t5'],
      [{ ...chat, parserModel: 'x' }, 'coco: --parser-model has no effect without --parser factual-t5'],
      [{ ...chat, parser: 'factual-t5' }, 'factual-t5: expected endpointUrl or model, found neither'],
    ];
    for (const [options, message] of cases) {
      await assert.rejects(buildRecipe(coco as unknown as Recipe, options), { message });
    }
    const rejected = await relflow(['captions', 'gc', '--store', store]);
    assert.equal(rejected.code, 1);
    assert.match(rejected.stderr, /gc: expected at least one of --useless, --before, --model, --protocol/);
    assert.match((await relflow(['captions', 'stats'])).stderr, /has no answer store/);
  });

  it('captions 80 real images and writes their scene graphs', async function () {
    const folder = '../shared/data/coco-mini';
    if (!existsSync(folder)) {
      console.log(`      skipped: ${folder} does not exist`);
      this.skip();
    }
    const server = await serve();
    const out = join(temporaryFolder(), 'graphs');
    const { code, stdout, stderr } = await relflow([
      'run',
      'coco',
      ...['--annotations', join(folder, 'instances_train2017.json'), '--images', join(folder, 'train2017')],
      ...['--captioner', 'hf-chat', '--endpoint-url', server.url, '--n-captions', '2', '--out', out],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /80 records in /);
    assert.equal(server.answers.size, 160);
    const lines = readFileSync(join(out, 'scene-graphs/00000.jsonl'), 'utf8').trim().split('\n');
    const graphs = lines.map((line) => JSON.parse(line) as { captions: unknown[]; relations: unknown[] });
    assert.ok(graphs.every(({ captions }) => captions.length === 2));
    assert.ok(graphs.some(({ relations }) => relations.length > 0));
  });
});

/** Returns the content of every file below a folder. */
function contents(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? contents(path) : [readFileSync(path, 'latin1')];
  });
}

/** Leaves out the saved options of the runs, which differ. */
function withoutRunState(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path !== '.relflow/run.json'));
}
