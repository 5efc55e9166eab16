import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../../errors.js';
import { type GraphBuilder, TAG } from './graph-builder.js';

/** What is called of tfjs-node's backend. */
interface SessionBackend {
  loadSavedModelMetaGraph(folder: string, tag: string): number;
  runSavedModel(
    session: number,
    inputs: readonly tf.Tensor[],
    infos: readonly { readonly name: string; readonly tfDtype: string }[],
    outputs: readonly string[],
  ): tf.Tensor[];
  deleteSavedModel(session: number): void;
}

const TF_TYPES: Readonly<Record<string, string>> = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };

const backend = (): SessionBackend => tf.backend() as unknown as SessionBackend;

/** A TensorFlow session with a graph of its own. Its variables live on the device until it is closed. */
export class GraphSession {
  readonly #session: number;

  /** @throws RelflowError (`recording`) if TensorFlow refuses the graph */
  constructor(graph: GraphBuilder) {
    const folder = mkdtempSync(join(tmpdir(), 'relflow-graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), graph.savedModel());
      this.#session = backend().loadSavedModelMetaGraph(folder, TAG);
    } catch (cause) {
      throw new RelflowError(
        'recording',
        `recording: TensorFlow does not load the graph: ${(cause as Error).message}`,
        {},
        { cause },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /**
   * Runs the part of the graph that some nodes need.
   * @param inputs by the input's name
   * @param outputs nodes whose values are returned, which the caller disposes of
   */
  run(inputs: ReadonlyMap<string, tf.Tensor>, outputs: readonly string[]): tf.Tensor[] {
    const infos = [...inputs].map(([name, { dtype }]) => ({ name: `${name}:0`, tfDtype: TF_TYPES[dtype]! }));
    const nodes = outputs.map((node) => (node.includes(':') ? node : `${node}:0`));
    return backend().runSavedModel(this.#session, [...inputs.values()], infos, nodes);
  }

  close(): void {
    backend().deleteSavedModel(this.#session);
  }
}
