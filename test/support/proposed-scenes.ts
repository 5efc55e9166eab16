import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow } from './command.js';
import { temporaryFolder } from './folders.js';
import { ModelServer } from './model-server.js';
import type { PaintedScenes } from './painted-scenes.js';
import { ScriptedVlm, type ScriptedVlmOptions } from './scripted-vlm.js';

/** Runs the pipeline with proposals of a scripted model. The server stays open. */
export async function proposeRelations(painted: PaintedScenes, vlm: ScriptedVlmOptions, more: readonly string[] = []) {
  const model = new ScriptedVlm(painted.scenes, vlm);
  const server = await ModelServer.start({ chat: model.chat });
  const folder = temporaryFolder();
  const out = join(folder, 'out');
  const flags = [
    '--propose',
    '--proposer-endpoint-url',
    server.url,
    '--proposer-model',
    'scripted',
    '--parser',
    'rules',
  ];
  const { code, stdout, stderr } = await relflow([
    'run',
    ...painted.args,
    ...flags,
    '--store',
    join(folder, 'store'),
    '--out',
    out,
    ...more,
  ]);
  assert.equal(code, 0, stdout + stderr);
  const { stages } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const counts = stages.propose.counts as Record<string, number>;
  const gates = Object.entries(counts).filter(([name]) => name.startsWith('gate-'));
  return {
    model,
    server,
    out,
    counts,
    rejected: gates.reduce((sum, [, count]) => sum + count, 0),
    gates: Object.fromEntries(gates),
  };
}
