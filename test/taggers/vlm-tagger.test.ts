import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError, vlmTagger } from '../../src/index.js';
import { firstAttempts } from '../support/caption-images.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { imageFolder } from '../support/image-folder.js';
import { ModelServer } from '../support/model-server.js';
import { type PaintedScenes, paintedScenes } from '../support/painted-scenes.js';
import { outputOf, plannedTagging, taggedBy, tagScenes } from '../support/tagged-scenes.js';

describe('vlmTagger', () => {
  let painted: PaintedScenes;
  const servers: ModelServer[] = [];
  const tagged = async (...args: Parameters<typeof tagScenes> extends [unknown, ...infer R] ? R : never) => {
    const result = await tagScenes(painted, ...args);
    servers.push(result.server);
    return result;
  };
  const fresh = () => {
    const folder = temporaryFolder();
    return [join(folder, 'out'), join(folder, 'store')] as const;
  };

  before(async () => {
    painted = await paintedScenes(7, 30);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  it('finds the true relations among the candidates, as a perfect model answers, within the planned requests and tokens', async () => {
    const [out, store] = fresh();
    const planned = await plannedTagging(painted, 'http://127.0.0.1:9', store);
    const { kept, right, possible, usage, server, graphs } = await tagged(out, store);
    assert.ok(possible > 100, `${possible} true candidates`);
    assert.ok(right / kept >= 0.99, `${right} of ${kept} are right`);
    assert.ok(right / possible >= 0.95, `${right} of ${possible} are found`);
    assert.deepEqual(graphs[0]!.provenance.tagger, { name: 'vlm-tagger', version: '1', baseline: false });
    for (const [what, plan, used] of [
      ['requests', planned.missing, usage['requests']!],
      ['input tokens', planned.tokens.input, usage['inputTokens']!],
      ['output tokens', planned.tokens.output, usage['outputTokens']!],
    ] as const)
      assert.ok(Math.abs(plan - used) <= 0.1 * used, `${what}: ${plan} planned, ${used} used`);
    const again = join(temporaryFolder(), 'out');
    const repeated = await tagged(again, store);
    assert.deepEqual([repeated.usage['requests'], repeated.server.seen.length], [0, 0], 'answers are paid for once');
    assert.deepEqual(outputOf(again), outputOf(out));
    assert.equal((await plannedTagging(painted, server.url, store)).missing, 0);
  });

  it('has at most the errors of a model that names the wrong one of several in a fifth of its answers, and its confidence says so', async () => {
    const { kept, right, byConfidence } = await tagged(...fresh(), { vlm: { errors: { wrongInstance: 0.2 } } });
    assert.ok(right / kept >= 0.8, `${right} of ${kept} are right`);
    const error = [...byConfidence].reduce(
      (sum, [confidence, [n, good]]) => sum + Math.abs(n * Number(confidence) - good),
      0,
    );
    assert.ok(error / kept < 0.1, `confidences differ by ${error / kept} from the shares that are right`);
  });

  it('loses no answer and asks none twice when a fifth of the requests fail', async () => {
    const [out, store] = fresh();
    const fault = firstAttempts(0.2, ['unavailable', 'cut', 'invalid-json', 'rate-limit']);
    const { server } = await tagged(out, store, { server: { fault } });
    assert.ok(server.seen.some((seen) => seen.fault === 'cut'));
    assert.ok(
      [...server.answers.values()].every((answers) => answers === 1),
      'each request is answered once',
    );
    const [other, otherStore] = fresh();
    await tagged(other, otherStore);
    assert.deepEqual(outputOf(out), outputOf(other));
  });

  it('works with servers that know neither JSON schemas nor log probabilities, and then counts answers', async () => {
    const plain = await tagged(...fresh(), { vlm: { jsonSchema: false, logprobs: false } });
    assert.ok(plain.right / plain.kept >= 0.99, `${plain.right} of ${plain.kept} are right`);
    assert.ok(plain.right / plain.possible >= 0.95);
    const bodies = plain.server.seen.filter(({ answered }) => answered).map(({ body }) => body);
    const refused = bodies.filter((body) => 'response_format' in body || 'logprobs' in body);
    assert.ok(
      refused.length <= 16,
      `only the first requests have the fields that were refused, found ${refused.length}`,
    );
    // One answer: 0.85; one and another that agrees with it: odds of 0.7 : 0.3 times 1.5 : 0.5.
    assert.deepEqual(
      [...new Set(plain.graphs.flatMap(({ relations }) => relations.map((one) => one.confidence)))].sort(),
      [0.85, 0.875],
    );
  });

  it('trusts nothing of an answer: asks once more with the error, counts what was not asked, rejects what cannot be read', async () => {
    const errors = { invented: 0.2, stubborn: 0.1, swapped: 0.1, prose: 0.2 };
    const { counts, kept, right, server } = await tagged(...fresh(), { vlm: { errors } });
    for (const name of [
      'answers-asked-again',
      'answers-with-problems',
      'answer-with-unknown-region',
      'answer-with-other-region',
    ])
      assert.ok(counts[name]! > 0, `${name} in ${Object.keys(counts)}`);
    assert.ok(right / kept >= 0.95, `${right} of ${kept} are right`);
    const again = server.seen
      .map(({ body }) => body['messages'] as { role: string; content: string }[])
      .filter((all) => all.length > 1);
    assert.equal(again.length, counts['answers-asked-again']);
    assert.ok(again.some((all) => all[2]!.content.includes('there is no region X99')));
    assert.ok(again.some((all) => all[2]!.content.includes('it is not a JSON object')));
  });

  it('rejects images whose answers are refused or cannot be read, by reason', async () => {
    const [out, store] = fresh();
    await tagged(out, store, { vlm: { errors: { refusal: 0.4 } } });
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
    const { rejected } = manifest.stages.tag;
    assert.deepEqual(Object.keys(rejected), ['answer-refused']);
    const prose = await ModelServer.start({ write: () => 'There is no horse here.' });
    servers.push(prose);
    const other = join(temporaryFolder(), 'out');
    await relflow([
      'run',
      ...taggedBy(painted, prose.url, '--store', join(other, '../store')),
      '--out',
      other,
      '--allow-empty',
    ]);
    const { tag } = JSON.parse(readFileSync(join(other, 'manifest.json'), 'utf8')).stages;
    assert.deepEqual(Object.keys(tag.rejected), ['unreadable-answer']);
  });

  it('sends the image first, at most 24 regions, boxes by the chosen numbers or marks, and a schema with the regions', async () => {
    const { server } = await tagged(...fresh(), { more: ['--second-look', 'none'] });
    type Part = { type: string; text?: string; image_url?: { url: string } };
    const partsOf = (body: Readonly<Record<string, unknown>>) => (body['messages'] as [{ content: Part[] }])[0].content;
    const [{ body }] = server.seen as [(typeof server.seen)[0]];
    const [image, text] = partsOf(body) as [Part, Part];
    assert.match(image.image_url!.url, /^data:image\/png;base64,/);
    assert.match(text.text!, /\nRegions, each with its box \[left, top, right, bottom\] in thousandths/);
    assert.match(text.text!, /\n[A-Z]\d+ [a-z ]+ \[\d+,\d+,\d+,\d+\]\n/);
    assert.match(text.text!, /\nT1 .+: which of [A-Z0-9,]+ with [A-Z0-9,]+\?/);
    const format = body['response_format'] as {
      json_schema: { schema: { properties: { T1: { items: { items: { enum: string[] } } } } } };
    };
    assert.ok(format.json_schema.schema.properties.T1.items.items.enum.every((id) => /^[A-Z]\d+$/.test(id)));
    const answers = await ModelServer.start({ write: () => '{}' });
    servers.push(answers);
    const drawn = [
      '--marks',
      'drawn',
      '--store',
      join(temporaryFolder(), 's'),
      '--limit',
      '1',
      '--out',
      join(temporaryFolder(), 'o'),
    ];
    await relflow(['run', ...taggedBy(painted, answers.url, ...drawn)]);
    const [marked, listed] = partsOf(answers.seen[0]!.body) as [Part, Part];
    assert.match(marked.image_url!.url, /^data:image\/jpeg;base64,/);
    assert.match(listed.text!, /drawn on the image with their names:\n[A-Z]1 [a-z ]+\n[A-Z]2 /);
  });

  it('divides many regions into requests of at most 24, and asks about every candidate once', async () => {
    const { folder, images } = await imageFolder(1);
    const crowd = await ModelServer.start({
      chat: async ({ messages }) => {
        const { text } = (messages as [{ content: { text?: string }[] }])[0].content[1] as { text: string };
        return {
          content: JSON.stringify(Object.fromEntries([...text.matchAll(/^(T\d+) /gm)].map(([, name]) => [name, []]))),
          tokens: { input: 1, output: 1 },
        };
      },
    });
    servers.push(crowd);
    const detections = Array.from({ length: 50 }, (_, id) => ({
      id,
      category: id < 40 ? 'person' : 'teddy bear',
      box: [id % 8, 0, 4, 4] as const,
    }));
    const pairs = detections
      .slice(0, 40)
      .flatMap((_, subject) =>
        detections
          .slice(40)
          .map((_other, object) => ({ subject, object: 40 + object, texts: [{ text: 'riding', captions: [0] }] })),
      );
    const tagger = vlmTagger({ endpointUrl: crowd.url, images: folder, store: join(folder, 'store') });
    const request = { image: images[0]!, detections, pairs, texts: ['riding'], captionCount: 1 };
    const scores = await tagger.tag(request, new AbortController().signal);
    await tagger.close!();
    assert.equal(scores.length, 400);
    const asked = crowd.seen.map(
      ({ body }) => (body['messages'] as [{ content: { text: string }[] }])[0].content[1]!.text,
    );
    const together = new Set<string>();
    for (const text of asked) {
      // The letters T and Q name questions.
      assert.match(text, /^R\d+ teddy bear \[/m);
      assert.ok([...text.matchAll(/^[A-Z]\d+ .+\]$/gm)].length <= 24);
      for (const [, subjects, objects] of text.matchAll(/which of (.+) with (.+)\?/g))
        for (const subject of subjects!.split(','))
          for (const object of objects!.split(',')) together.add(`${subject} ${object}`);
    }
    assert.equal(together.size, 400);
    assert.equal(asked.length, 3);
  });

  it('looks again at unsure answers with pictures of both boxes, in boxes of these pictures, and finds the right direction', async () => {
    const { folder, images } = await imageFolder(1, 64);
    const reply = (text: string) => {
      if (!text.includes('Picture 1:')) return { T1: [['P1', 'P2']] };
      const reversed = /^([A-C]): person P2 chasing person P1$/m.exec(text)!;
      return { 1: reversed[1] };
    };
    const server = await ModelServer.start({
      chat: async ({ messages }) => {
        const parts = (messages as [{ content: { text?: string }[] }])[0].content;
        return { content: JSON.stringify(reply(parts.at(-1)!.text!)), tokens: { input: 1, output: 1 } };
      },
    });
    servers.push(server);
    const tagger = vlmTagger({
      endpointUrl: server.url,
      images: folder,
      store: join(folder, 'store'),
      side: 32,
      coordinates: 'pixels',
      secondLook: 'all',
    });
    const detections = [
      { id: 1, category: 'person', box: [8, 8, 16, 16] as const },
      { id: 2, category: 'person', box: [24, 8, 16, 16] as const },
    ];
    const texts = [{ text: 'chasing', captions: [0] }];
    const pairs = [
      { subject: 0, object: 1, texts },
      { subject: 1, object: 0, texts },
    ];
    const request = { image: images[0]!, detections, pairs, texts: ['chasing'], captionCount: 1 };
    const [first, second] = await tagger.tag(request, new AbortController().signal);
    await tagger.close!();
    assert.ok(first! < 0.5 && second! > 0.5, `${first} and ${second}`);
    const [whole, part] = server.seen
      .filter(({ answered }) => answered)
      .map(({ body }) => (body['messages'] as [{ content: { text?: string }[] }])[0].content.at(-1)!.text!);
    assert.match(whole!, /P1 person \[4,4,12,12\]\nP2 person \[12,4,20,12\]/);
    // Both boxes with a margin of 0.15 of 32 pixels: a part of 41.6 x 25.6 pixels, sent at most 32 pixels wide.
    assert.match(part!, /P1 person \[4,4,16,16\], P2 person \[16,4,28,16\]/);
  });

  it('refuses options that are missing, unknown or without effect', async () => {
    const images = temporaryFolder();
    for (const [options, message] of [
      [{ images: '', model: 'm' }, "vlm-tagger: 'images' is missing, expected the image folder"],
      [{ images }, "vlm-tagger: 'model' is missing, expected the name of a model or an endpointUrl"],
      [{ images, model: 'm', marks: 'boxes' }, "vlm-tagger: marks 'boxes', expected one of listed, drawn"],
      [
        { images, model: 'm', coordinates: 'inches' },
        "vlm-tagger: coordinates 'inches', expected one of thousandths, pixels",
      ],
    ] as const)
      assert.throws(
        () => vlmTagger(options as Parameters<typeof vlmTagger>[0]),
        (error) => error instanceof OptionError && error.message === message,
      );
    for (const [flags, message] of [
      [['--marks', 'drawn'], '--marks has no effect without --tagger vlm'],
      [['--tagger', 'vlm', '--tagger-model', 'm', '--backend', 'wasm'], '--backend has no effect with --tagger vlm'],
      [['--tagger', 'vlm'], '--tagger vlm needs --tagger-model, --tagger-endpoint-url or both'],
      [['--tagger', 'vlm', '--tagger-model', 'm', '--compat'], '--compat has no effect with --tagger vlm'],
      [['--side', '700'], '--side has no effect without --captioner'],
    ] as const) {
      const { code, stderr } = await relflow(['plan', ...painted.args, ...flags]);
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(message), stderr);
    }
  });
});
