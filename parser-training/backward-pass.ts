import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { type LinearLayer, linearLayers } from '../src/parser/neural/linear-layers.js';
import {
  type NetworkSizes,
  type Parameters,
  tagCount,
  tagStride,
  windowRadius,
} from '../src/parser/neural/network-parameters.js';
import { type Activations, type BatchLayout, type CaptionRows, type SpanRows, slots } from './activations.js';
import type { DropoutMasks } from './dropout-masks.js';
import type { TrainingKernels } from './kernels/training-kernels.js';
import type { TrainingNetwork } from './training-network.js';

/** The network's backward pass: from gradients of scores to gradients of parameters and word vectors. */
export class BackwardPass {
  readonly #kernels: ParserKernels;
  readonly #sizes: NetworkSizes;
  readonly #p: Parameters;
  readonly #d: Parameters;
  readonly #transposed: Float32Array;
  readonly #training: TrainingKernels;

  /** @param gradients those of the parameters, to which every pass adds */
  constructor({ kernels, sizes, parameters }: TrainingNetwork, training: TrainingKernels, gradients: Parameters) {
    this.#kernels = kernels;
    this.#sizes = sizes;
    this.#p = parameters;
    this.#d = gradients;
    this.#training = training;
    const layers = Object.keys(linearLayers) as LinearLayer[];
    const window = sizes.input * sizes.hidden;
    this.#transposed = kernels.floats(Math.max(window, ...layers.map((layer) => parameters[layer].length)));
  }

  /**
   * Computes gradients down to the states of words.
   * @param a activations of the forward pass, which had the same `masks`
   * @param g gradients of `tagScores`, `labelScores`, `queries`, `relationStates` (through queries) and `ownerScores`, the rest
   *   zero; `states` is set to the gradient of the words' states
   */
  run(a: Activations, g: Activations, layout: BatchLayout, masks: DropoutMasks): void {
    this.#scoreOwners(a, g, layout, masks);
    this.#scoreRelations(a, g, layout, masks);
    this.#relationContext(a, g, layout, masks);
    this.#scoreTags(a, g, layout, masks);
  }

  /** Continues after `run` down to the word vectors: sets their gradient, `x`. */
  runContext(a: Activations, g: Activations, layout: BatchLayout, masks: DropoutMasks): void {
    this.#context(a, g, layout, masks);
    this.#window(a, g, layout.rows);
  }

  #scoreOwners(
    a: Activations,
    g: Activations,
    { attributes, mentions, owners }: BatchLayout,
    masks: DropoutMasks,
  ): void {
    const { hidden, attributeHidden } = this.#sizes;
    const [p, d] = [this.#p, this.#d];
    if (owners.length > 0) {
      this.#linear(
        owners.length,
        a.ownerIn,
        attributeHidden,
        p.attributeScore,
        g.ownerScores,
        8,
        d.attributeScore,
        d.attributeScoreBias,
        g.ownerIn,
      );
      this.#relu(a.ownerIn, g.ownerIn, owners.length * attributeHidden, masks, 'ownerIn');
      owners.forEach(({ attribute, mention, distance }, n) => {
        for (let k = 0; k < attributeHidden; k++) {
          const value = g.ownerIn[n * attributeHidden + k]!;
          g.attributeHidden[attribute * attributeHidden + k]! += value;
          g.ownerHidden[mention * attributeHidden + k]! += value;
          d.attributeDistances[distance * attributeHidden + k]! += value;
          d.attributeBias[k]! += value;
        }
      });
      this.#linear(
        attributes.length,
        a.attributeStates,
        hidden,
        p.attribute,
        g.attributeHidden,
        attributeHidden,
        d.attribute,
        null,
        g.attributeStates,
      );
      this.#linear(
        mentions.length,
        a.mentionStates,
        hidden,
        p.owner,
        g.ownerHidden,
        attributeHidden,
        d.owner,
        null,
        g.mentionStates,
      );
      this.#spanStates(g.attributeStates, attributes, g.relationStates);
    }
  }

  #scoreRelations(a: Activations, g: Activations, { rows, mentions, pairs }: BatchLayout, masks: DropoutMasks): void {
    const { hidden, pairHidden, labels } = this.#sizes;
    const [p, d] = [this.#p, this.#d];
    if (pairs.length > 0) {
      for (const slot of slots)
        this.#linear(
          pairs.length,
          a.pairStates,
          pairHidden,
          p[slot],
          g.queries[slot],
          hidden,
          d[slot],
          null,
          g.pairStates,
        );
      this.#linear(
        pairs.length,
        a.pairStates,
        pairHidden,
        p.labels,
        g.labelScores,
        labels,
        d.labels,
        d.labelBias,
        g.pairStates,
      );
      this.#relu(a.pairStates, g.pairStates, pairs.length * pairHidden, masks, 'pairStates');
      this.#linear(
        pairs.length,
        a.pairIn,
        pairHidden,
        p.pair,
        g.pairStates,
        pairHidden,
        d.pair,
        d.pairHiddenBias,
        g.pairIn,
      );
      this.#relu(a.pairIn, g.pairIn, pairs.length * pairHidden, masks, 'pairIn');
      pairs.forEach(({ first, second, from, to, distance, steps }, n) => {
        const [one, two] = [first * 4 * pairHidden, (second * 4 + 1) * pairHidden];
        for (let k = 0; k < pairHidden; k++) {
          const value = g.pairIn[n * pairHidden + k]!;
          if (value === 0) continue;
          const [factor, other] = [one + 2 * pairHidden + k, two + 2 * pairHidden + k];
          g.mentionRoles[one + k]! += value;
          g.mentionRoles[two + k]! += value;
          g.mentionRoles[factor]! += value * a.mentionRoles[other]!;
          g.mentionRoles[other]! += value * a.mentionRoles[factor]!;
          d.distances[distance * pairHidden + k]! += value;
          d.distances[steps * pairHidden + k]! += value;
          d.pairBias[k]! += value;
          const largest = a.pairMax[n * pairHidden + k]!;
          for (let row = from; row < to; row++)
            if (a.between[row * pairHidden + k] === largest) {
              g.between[row * pairHidden + k]! += value;
              break;
            }
        }
      });
      this.#linear(rows, a.relationStates, hidden, p.between, g.between, pairHidden, d.between, null, g.relationStates);
      this.#linear(
        mentions.length,
        a.mentionStates,
        hidden,
        p.mention,
        g.mentionRoles,
        4 * pairHidden,
        d.mention,
        null,
        g.mentionStates,
      );
    }
    this.#spanStates(g.mentionStates, mentions, g.relationStates);
  }

  #relationContext(a: Activations, g: Activations, { rows, captions }: BatchLayout, masks: DropoutMasks): void {
    const { hidden } = this.#sizes;
    const [p, d] = [this.#p, this.#d];
    masks.applyAgain(g.relationStates, rows * hidden, 'relationStates');
    this.#scan(
      captions,
      rows,
      a.taggedStates,
      p.relationContext,
      a.relationGates,
      a.relationSums,
      g.relationStates,
      g.relationGates,
      d.relationContext,
      d.relationContextBias,
      g.taggedStates,
    );
    for (let k = 0; k < rows * hidden; k++) g.states[k]! += g.taggedStates[k]!;
    for (let row = 0; row < rows; row++) this.#softEmbedding(a, g, row);
  }

  /** Backward pass of a soft tag embedding: to the embeddings, and through the softmax to the tag scores. */
  #softEmbedding(a: Activations, g: Activations, row: number): void {
    const { hidden } = this.#sizes;
    const { tagEmbeddings } = this.#p;
    const [probabilities, gradient] = [
      a.tagProbabilities.subarray(row * tagStride),
      g.taggedStates.subarray(row * hidden),
    ];
    let mean = 0;
    for (let tag = 0; tag < tagCount; tag++) {
      let slope = 0;
      for (let k = 0; k < hidden; k++) {
        slope += gradient[k]! * tagEmbeddings[tag * hidden + k]!;
        this.#d.tagEmbeddings[tag * hidden + k]! += probabilities[tag]! * gradient[k]!;
      }
      g.tagProbabilities[row * tagStride + tag] = slope;
      mean += probabilities[tag]! * slope;
    }
    for (let tag = 0; tag < tagCount; tag++)
      g.tagScores[row * tagStride + tag]! += probabilities[tag]! * (g.tagProbabilities[row * tagStride + tag]! - mean);
  }

  #scoreTags(a: Activations, g: Activations, { rows }: BatchLayout, masks: DropoutMasks): void {
    const { hidden, tagHidden } = this.#sizes;
    const [p, d] = [this.#p, this.#d];
    this.#linear(rows, a.tagHidden, tagHidden, p.tags, g.tagScores, tagStride, d.tags, d.tagBias, g.tagHidden);
    this.#relu(a.tagHidden, g.tagHidden, rows * tagHidden, masks, 'tagHidden');
    this.#linear(rows, a.states, hidden, p.tagHidden, g.tagHidden, tagHidden, d.tagHidden, d.tagHiddenBias, g.states);
  }

  #context(a: Activations, g: Activations, { rows, captions, compounds }: BatchLayout, masks: DropoutMasks): void {
    const { hidden } = this.#sizes;
    const [p, d] = [this.#p, this.#d];
    this.#scan(
      captions,
      rows,
      a.windowed,
      p.context,
      a.contextGates,
      a.contextSums,
      g.states,
      g.contextGates,
      d.context,
      d.contextBias,
      g.windowed,
    );
    this.#relu(a.windowed, g.windowed, rows * hidden, masks, 'windowed');
    // Rows between captions hold no words.
    let next = 0;
    for (const { start, length } of [...captions, { start: rows, length: 0 }]) {
      g.windowed.fill(0, next * hidden, start * hidden);
      next = start + length;
    }
    for (let row = 0; row < rows; row++) {
      const flag = compounds[row]! * hidden;
      for (let k = 0; k < hidden; k++) {
        const value = g.windowed[row * hidden + k]!;
        d.windowBias[k]! += value;
        d.compounds[flag + k]! += value;
      }
    }
  }

  #window(a: Activations, g: Activations, rows: number): void {
    const { input, hidden } = this.#sizes;
    const innerRows = rows - 2 * windowRadius;
    const dy = g.windowed.subarray(windowRadius * hidden);
    for (let offset = 0; offset <= 2 * windowRadius; offset++) {
      const part = (values: Float32Array) => values.subarray(offset * input * hidden, (offset + 1) * input * hidden);
      this.#linear(
        innerRows,
        a.x.subarray(offset * input),
        input,
        part(this.#p.window),
        dy,
        hidden,
        part(this.#d.window),
        null,
        g.x.subarray(offset * input),
      );
    }
  }

  /** dw += xᵀ dy, db += Σ dy, dx += dy wᵀ. */
  #linear(
    rows: number,
    x: Float32Array,
    inputs: number,
    w: Float32Array,
    dy: Float32Array,
    outputs: number,
    dw: Float32Array,
    db: Float32Array | null,
    dx: Float32Array,
  ): void {
    this.#kernels.multiply(inputs, outputs, rows, x, { row: 1, column: inputs }, dy, dw);
    if (db) this.#training.addRows(rows, outputs, dy, db);
    const t = this.#transposed;
    this.#training.transpose(inputs, outputs, w, t);
    this.#kernels.multiply(rows, inputs, outputs, dy, { row: outputs, column: 1 }, t, dx);
  }

  #relu(y: Float32Array, dy: Float32Array, length: number, masks: DropoutMasks, layer: string): void {
    masks.applyAgain(dy, length, layer);
    for (let k = 0; k < length; k++) if (y[k] === 0) dy[k] = 0;
  }

  /** Backward pass of `linear`, `scan` and the sum with x. @param dy gradient of c + x; dgates is scratch */
  #scan(
    captions: readonly CaptionRows[],
    rows: number,
    x: Float32Array,
    w: Float32Array,
    gates: Float32Array,
    c: Float32Array,
    dy: Float32Array,
    dgates: Float32Array,
    dw: Float32Array,
    db: Float32Array,
    dx: Float32Array,
  ): void {
    const { hidden } = this.#sizes;
    for (const { start, length } of captions) scanBackward(gates, c, dy, dgates, hidden / 2, start, length);
    this.#linear(rows, x, hidden, w, dgates, 2 * hidden, dw, db, dx);
    for (const { start, length } of captions)
      for (let k = start * hidden; k < (start + length) * hidden; k++) dx[k]! += dy[k]!;
  }

  #spanStates(gradient: Float32Array, spans: readonly SpanRows[], to: Float32Array): void {
    const { hidden } = this.#sizes;
    const half = hidden / 2;
    spans.forEach(({ first, last }, n) => {
      for (let k = 0; k < half; k++) to[last * hidden + k]! += gradient[n * hidden + k]!;
      for (let k = half; k < hidden; k++) to[first * hidden + k]! += gradient[n * hidden + k]!;
    });
  }
}

/** Backward pass of `scan`: from the gradient of c to that of the gates' inputs. */
function scanBackward(
  gates: Float32Array,
  c: Float32Array,
  dc: Float32Array,
  dgates: Float32Array,
  half: number,
  start: number,
  length: number,
): void {
  const width = 2 * half;
  const carried = new Float32Array(half);
  for (const isBackward of [false, true]) {
    carried.fill(0);
    for (let step = length - 1; step >= 0; step--) {
      const t = isBackward ? start + length - 1 - step : start + step;
      const f = t * 2 * width + (isBackward ? width : 0);
      const u = f + half;
      const at = t * width + (isBackward ? half : 0);
      const before = isBackward ? at + width : at - width;
      for (let k = 0; k < half; k++) {
        const gate = gates[f + k]!;
        const input = gates[u + k]!;
        const last = step === 0 ? 0 : c[before + k]!;
        const d = dc[at + k]! + carried[k]!;
        // The derivative of s(z) = z / (1 + |z|) is (1 - |s|)².
        const slope = 1 - Math.abs(2 * gate - 1);
        dgates[f + k] = d * (input - last) * 0.5 * slope * slope;
        const inputSlope = 1 - Math.abs(input);
        dgates[u + k] = d * gate * inputSlope * inputSlope;
        carried[k] = d * (1 - gate);
      }
    }
  }
}
