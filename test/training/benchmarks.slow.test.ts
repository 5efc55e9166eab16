import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/package-info.js';
import { command } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();

async function relflow(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [command(), ...args], { cwd: folder });
  return stdout;
}

/** Kills a command once a file has this many lines; returns whether it was killed before its end. */
async function killed(args: readonly string[], file: string, lines: number): Promise<boolean> {
  const child = spawn(process.execPath, [command(), ...args], { cwd: folder, stdio: 'ignore' });
  const killer = setInterval(() => {
    if (existsSync(file) && readFileSync(file, 'utf8').split('\n').length > lines) child.kill('SIGKILL');
  }, 5);
  const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
  clearInterval(killer);
  return signal === 'SIGKILL';
}

const bytes = (path: string) => readFileSync(join(folder, path));
const metricsOf = async (args: readonly string[]) =>
  JSON.parse(await relflow([...args, '--json'])).metrics as Record<string, number | null>;

describe('docs/benchmarks.md', () => {
  const [, block] = /```sh\n(.*?)```/s.exec(readFileSync(join(packageRoot, 'docs/benchmarks.md'), 'utf8'))!;
  const commands = [...block!.matchAll(/^npx relflow (.*)$/gm)].map(([, line]) => line!.split(' '));
  const find = (...start: string[]) => commands.find((args) => start.every((word, k) => args[k] === word))!;

  before(() => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(packageRoot, join(folder, 'node_modules/relflow'));
    cpSync(join(folder, 'node_modules/relflow/fixtures/scenes'), join(folder, 'scenes'), { recursive: true });
  });

  it('goes from the files of four benchmarks to their numbers by the commands as written', async () => {
    assert.equal(commands.length, 14);
    const metrics: Record<string, Record<string, number | null>> = {};
    for (const args of commands)
      if (args[0] === 'evaluate') metrics[args[2]!] = await metricsOf(args);
      else await relflow(args);
    assert.deepEqual(Object.keys(metrics), ['vg150.jsonl', 'predcls.jsonl', 'hico.jsonl', 'vcoco.jsonl', 'oi.jsonl']);
    for (const [file, found] of Object.entries(metrics)) {
      const values = Object.values(found).filter((value) => value !== null);
      assert.ok(values.length > 0 && values.every((value) => value >= 0 && value <= 1), file);
    }
    // The tagger that comes with relflow was trained on such scenes.
    const recall = Object.entries(metrics['predcls.jsonl']!).find(([name]) => /^R@?_?50$/.test(name));
    assert.ok(recall && recall[1]! > 0.5, JSON.stringify(metrics['predcls.jsonl']));
  });

  it('comes to the same bytes and the same number when training and prediction are killed and resumed', async () => {
    const [train, predict, evaluate] = [
      find('train', 'finetune', '--config', 'scenes/hico/finetune.json'),
      find('predict', '--weights', 'hico-run/weights.safetensors'),
      find('evaluate', 'hico'),
    ].map((args) => args.map((word) => word.replace(/^hico(-run|\.jsonl)/, 'killed$1')));
    // Four steps, the log has the start, and a checkpoint after the second.
    const wasKilled = await killed(train!, join(folder, 'killed-run/log.jsonl'), 4);
    if (wasKilled) await relflow([...train!, '--resume']);
    assert.ok(bytes('killed-run/weights.safetensors').equals(bytes('hico-run/weights.safetensors')));
    if (await killed(predict!, join(folder, 'killed.jsonl.partial'), 3)) await relflow([...predict!, '--resume']);
    assert.ok(bytes('killed.jsonl').equals(bytes('hico.jsonl')));
    assert.deepEqual(await metricsOf(evaluate!), await metricsOf(find('evaluate', 'hico')));
  });
});
