import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CandidateSet, SceneGraph } from '../../src/index.js';
import { relflow } from './command.js';
import { digests } from './folders.js';
import { ModelServer, type ModelServerOptions } from './model-server.js';
import type { PaintedScenes } from './painted-scenes.js';
import { isTrue, ScriptedVlm, type ScriptedVlmOptions } from './scripted-vlm.js';

/** Output of a run, and what is known of its relations. */
export interface TaggedScenes {
  readonly out: string;
  readonly server: ModelServer;
  readonly graphs: readonly SceneGraph[];
  /** Relations that were kept, those of them that hold, and candidates that hold. */
  readonly kept: number;
  readonly right: number;
  readonly possible: number;
  /** By confidence in tenths, rounded: relations, and those that hold. */
  readonly byConfidence: ReadonlyMap<string, readonly [kept: number, right: number]>;
  readonly counts: Readonly<Record<string, number>>;
  readonly usage: Readonly<Record<string, number>>;
}

/** Arguments of `relflow run` and `plan` that tag scenes with a server's model. */
export const taggedBy = ({ args }: PaintedScenes, url: string, ...more: readonly string[]): string[] => [
  ...args,
  ...[
    '--tagger',
    'vlm',
    '--tagger-model',
    'scripted',
    '--tagger-endpoint-url',
    url,
    '--parser',
    'rules',
    '--no-geometry',
    ...more,
  ],
];

/** Tags scenes with a scripted model in one run, and compares the relations with the scenes'. The server stays open. */
export async function tagScenes(
  painted: PaintedScenes,
  out: string,
  store: string,
  {
    vlm,
    server: options,
    more = [],
  }: { vlm?: ScriptedVlmOptions; server?: ModelServerOptions; more?: readonly string[] } = {},
): Promise<TaggedScenes> {
  const model = new ScriptedVlm(painted.scenes, vlm);
  const server = await ModelServer.start({ chat: model.chat, ...options });
  const { code, stdout, stderr } = await relflow([
    'run',
    ...taggedBy(painted, server.url, '--store', store, ...more),
    '--out',
    out,
  ]);
  assert.equal(code, 0, stdout + stderr);
  return { out, server, ...compareWithScenes(painted, out) };
}

/** Compares the relations of a run with those of the scenes. */
export function compareWithScenes({ scenes }: PaintedScenes, out: string) {
  const graphs = linesOf<SceneGraph>(out, 'scene-graphs');
  const sceneOf = new Map(scenes.map((scene) => [scene.id, scene]));
  const holds = (
    { image, objects }: Pick<SceneGraph, 'image' | 'objects'>,
    subject: number,
    text: string,
    object: number,
  ) => {
    const scene = sceneOf.get(Number(image.id))!;
    const index = (of: number) => scene.objects.findIndex(({ id }) => id === objects[of]!.id);
    return isTrue(scene, index(subject), text, index(object));
  };
  let [kept, right, possible] = [0, 0, 0];
  const byConfidence = new Map<string, [number, number]>();
  for (const graph of graphs)
    for (const { subject, predicate, object, confidence = 1 } of graph.relations.flatMap((relation) => [
      relation,
      ...(relation.wordings ?? []).map((wording) => ({ ...relation, ...wording })),
    ])) {
      const isRight = holds(graph, subject, predicate, object!);
      const bin = byConfidence.get(confidence.toFixed(1)) ?? [0, 0];
      byConfidence.set(confidence.toFixed(1), [bin[0] + 1, bin[1] + Number(isRight)]);
      kept++;
      if (isRight) right++;
    }
  for (const set of linesOf<CandidateSet>(out, 'candidates'))
    for (const { subject, object, texts } of set.candidates)
      possible += texts.filter(({ text }) => holds(set, subject, text, object)).length;
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  const usage = report.stages.find(({ stage }: { stage: string }) => stage === 'tag').usage as Record<string, number>;
  return {
    graphs,
    kept,
    right,
    possible,
    byConfidence,
    counts: manifest.stages.tag.counts as Record<string, number>,
    usage,
  };
}

export function linesOf<T>(out: string, sink: string): T[] {
  const files = readdirSync(join(out, sink))
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  return files.flatMap((file) =>
    readFileSync(join(out, sink, file), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T),
  );
}

/** Reads what `relflow plan` says of the requests of the tagger. */
export async function plannedTagging(painted: PaintedScenes, url: string, store: string, more: readonly string[] = []) {
  const { code, stdout, stderr } = await relflow([
    'plan',
    ...taggedBy(painted, url, '--store', store, ...more),
    '--format',
    'json',
  ]);
  assert.equal(code, 0, stderr);
  const { models } = JSON.parse(stdout) as {
    models: { stage: string; forecast: { missing: number; tokens: { input: number; output: number } } }[];
  };
  return models.find(({ stage }) => stage === 'tag')!.forecast;
}

/** Returns the SHA-256 of the files of a run, without its options, which name the store and the server. */
export function outputOf(out: string): Record<string, string> {
  const { '.relflow/run.json': _, ...files } = digests(out);
  return files;
}
