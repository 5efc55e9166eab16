import * as tf from '@tensorflow/tfjs-core';
import type { GraphBuilder } from './graph-builder.js';
import type { KernelNodes, NodeInput } from './node-call.js';
import { NodeMath } from './node-math.js';

const rowsOf = (x: NodeInput, width: number): number => tf.util.sizeFromShape([...x.shape]) / width;

/** Sums the rows of a matrix. */
const sumRows = (graph: GraphBuilder, value: string): string =>
  graph.run('Sum', [value, graph.constant([0], [1], 'int32')], {
    T: { type: 'float32' },
    Tidx: { type: 'int32' },
    keep_dims: { bool: false },
  });

const product = (graph: GraphBuilder, a: string, b: string, transposeA: boolean, transposeB: boolean): string =>
  graph.run('MatMul', [a, b], {
    T: { type: 'float32' },
    transpose_a: { bool: transposeA },
    transpose_b: { bool: transposeB },
  });

/** Nodes of relflow's own kernels, which the functions in src/model/ops describe. */
export const fusedNodes: Readonly<Record<string, KernelNodes>> = {
  RelflowLinear: (graph, { inputs: { x, weight, bias }, attributes, outputs }) => {
    const m = new NodeMath(graph);
    const inputs = weight!.shape[0]!;
    const y = product(graph, m.reshape(x!.value, [rowsOf(x!, inputs), inputs]), weight!.value, false, false);
    const biased = graph.run('BiasAdd', [y, bias!.value], { T: { type: 'float32' }, data_format: { text: 'NHWC' } });
    return m.reshape(attributes['activation'] === 'relu' ? m.unary('Relu', biased) : biased, outputs[0]!.shape);
  },
  RelflowLinearGradient: (graph, { inputs: { x, weight, dy, y } }) => {
    const m = new NodeMath(graph);
    const [inputs, width] = weight!.shape as [number, number];
    const rows = rowsOf(x!, inputs);
    const whole = y ? graph.run('ReluGrad', [dy!.value, y.value], { T: { type: 'float32' } }) : dy!.value;
    const gradient = m.reshape(whole, [rows, width]);
    return [
      m.reshape(product(graph, gradient, weight!.value, false, true), x!.shape),
      product(graph, m.reshape(x!.value, [rows, inputs]), gradient, true, false),
      sumRows(graph, gradient),
    ];
  },
  RelflowLayerNorm: (graph, { inputs: { x, gamma, beta }, attributes, outputs }) => {
    const m = new NodeMath(graph);
    const width = gamma!.shape[0]!;
    const rows = rowsOf(x!, width);
    const flat = m.reshape(x!.value, [rows, width]);
    const mean = m.reduce('Mean', flat, [1], true);
    const centered = m.sub(flat, mean);
    const variance = m.reduce('Mean', m.unary('Square', centered), [1], true);
    const scale = m.unary('Rsqrt', m.add(variance, m.number(attributes['epsilon'] as number)));
    const y = m.add(m.mul(m.mul(centered, scale), gamma!.value), beta!.value);
    return [m.reshape(y, outputs[0]!.shape), m.concat([mean, scale], 1)];
  },
  RelflowLayerNormGradient: (graph, { inputs: { x, gamma, statistics, dy } }) => {
    const m = new NodeMath(graph);
    const width = gamma!.shape[0]!;
    const rows = rowsOf(x!, width);
    const [mean, scale] = [0, 1].map((k) => m.slice(statistics!.value, [0, k], [rows, 1])) as [string, string];
    const normalized = m.mul(m.sub(m.reshape(x!.value, [rows, width]), mean), scale);
    const gradient = m.reshape(dy!.value, [rows, width]);
    const scaled = m.mul(gradient, gamma!.value);
    const both = m.mul(gradient, normalized);
    const alongX = m.reduce('Mean', m.mul(both, gamma!.value), [1], true);
    const change = m.sub(m.sub(scaled, m.reduce('Mean', scaled, [1], true)), m.mul(normalized, alongX));
    return [m.reshape(m.mul(change, scale), x!.shape), sumRows(graph, both), sumRows(graph, gradient)];
  },
  RelflowGelu: (graph, { inputs: { x } }) => {
    const m = new NodeMath(graph);
    const above = m.add(m.unary('Erf', m.mul(x!.value, m.number(Math.SQRT1_2))), m.number(1));
    return m.mul(m.mul(x!.value, m.number(0.5)), above);
  },
  RelflowGeluGradient: (graph, { inputs: { x, dy } }) => {
    const m = new NodeMath(graph);
    const above = m.mul(m.add(m.unary('Erf', m.mul(x!.value, m.number(Math.SQRT1_2))), m.number(1)), m.number(0.5));
    const density = m.mul(
      m.unary('Exp', m.mul(m.unary('Square', x!.value), m.number(-0.5))),
      m.number(1 / Math.sqrt(2 * Math.PI)),
    );
    return m.mul(dy!.value, m.add(above, m.mul(x!.value, density)));
  },
  RelflowSoftmaxGradient: (graph, { inputs: { y, dy } }) => {
    const m = new NodeMath(graph);
    const sum = m.reduce('Sum', m.mul(dy!.value, y!.value), [y!.shape.length - 1], true);
    return m.mul(m.sub(dy!.value, sum), y!.value);
  },
};
