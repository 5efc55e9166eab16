import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/records/random.js';
import { firstAttempts } from '../support/caption-images.js';
import { start } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { ModelServer } from '../support/model-server.js';
import { type PaintedScenes, paintedScenes } from '../support/painted-scenes.js';
import { ScriptedVlm } from '../support/scripted-vlm.js';
import { outputOf, plannedTagging, taggedBy, tagScenes } from '../support/tagged-scenes.js';

// As docs/relations.md reports: RELFLOW_TEST_SCENES=500 npx mocha test/taggers/vlm-tagger.slow.test.ts
const SCENES = Number(process.env['RELFLOW_TEST_SCENES'] ?? 200);
const KILLS = 3;

describe(`vlmTagger on ${SCENES} drawn scenes`, () => {
  let painted: PaintedScenes;
  let perfect: string;

  before(async () => {
    painted = await paintedScenes(11, SCENES);
    perfect = join(temporaryFolder(), 'out');
  });

  const report = (
    what: string,
    { kept, right, possible, byConfidence, usage }: Awaited<ReturnType<typeof tagScenes>>,
  ) => {
    console.log(
      `      ${what}: precision ${(right / kept).toFixed(4)} (${right} of ${kept}), recall ${(right / possible).toFixed(4)} of ${possible}; ${usage['requests']} requests, ${usage['inputTokens']} + ${usage['outputTokens']} tokens`,
    );
    for (const [confidence, [all, good]] of [...byConfidence].sort())
      console.log(`        confidence ${confidence}: ${all} relations, ${(good / all).toFixed(3)} right`);
  };

  it('a perfect model: precision 0.99, recall 0.95, requests and tokens within 10 % of the plan', async () => {
    const store = join(temporaryFolder(), 'store');
    const planned = await plannedTagging(painted, 'http://127.0.0.1:9', store);
    const tagged = await tagScenes(painted, perfect, store);
    await tagged.server.close();
    report('perfect', tagged);
    assert.ok(tagged.right / tagged.kept >= 0.99);
    assert.ok(tagged.right / tagged.possible >= 0.95);
    for (const [plan, used] of [
      [planned.missing, tagged.usage['requests']!],
      [planned.tokens.input, tagged.usage['inputTokens']!],
      [planned.tokens.output, tagged.usage['outputTokens']!],
    ] as const) {
      console.log(`      planned ${plan}, used ${used}`);
      assert.ok(Math.abs(plan - used) <= 0.1 * used, `${plan} planned, ${used} used`);
    }
  });

  const noise = 0.2;
  for (const logprobs of [true, false])
    it(`${noise} of the answers name a wrong instance, ${logprobs ? 'with' : 'without'} log probabilities`, async () => {
      const folder = temporaryFolder();
      const vlm = { errors: { wrongInstance: noise }, logprobs };
      const tagged = await tagScenes(painted, join(folder, 'out'), join(folder, 'store'), { vlm });
      await tagged.server.close();
      report(`noise ${noise}`, tagged);
      assert.ok(tagged.right / tagged.kept >= 1 - noise, `${tagged.right} of ${tagged.kept}`);
    });

  it('a fifth of the requests fail, and the process is killed again and again: the same bytes, each answer paid for once', async () => {
    const model = new ScriptedVlm(painted.scenes);
    const fault = firstAttempts(0.2, ['unavailable', 'cut', 'invalid-json']);
    const server = await ModelServer.start({ chat: model.chat, fault, latencyMs: 5 });
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const args = ['run', ...taggedBy(painted, server.url, '--store', join(folder, 'store')), '--quiet', '--out', out];
    const random = new Random(3);
    let killed = 0;
    for (;;) {
      const { process: child, ended } = start(
        existsSync(join(out, '.relflow/run.json')) ? ['resume', out, '--quiet'] : [...args, '--overwrite'],
      );
      const timer = killed < KILLS ? setTimeout(() => child.kill('SIGKILL'), 1500 + random.next() * 1500) : undefined;
      const { code, stderr } = await ended;
      clearTimeout(timer);
      if (code !== null) {
        assert.equal(code, 0, stderr);
        break;
      }
      killed++;
    }
    await server.close();
    assert.ok(killed > 0);
    assert.deepEqual(outputOf(out), outputOf(perfect));
    const repeated = [...server.answers.values()].filter((answers) => answers > 1).length;
    console.log(`      ${killed} kills, ${server.answers.size} answers, ${repeated} of them sent twice`);
    // A kill loses the requests in flight.
    assert.ok(repeated <= 8 * killed, `${repeated} answers were sent twice`);
  });
});
