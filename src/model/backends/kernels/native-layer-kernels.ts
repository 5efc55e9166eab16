import { NativeMath } from './native-math.js';
import type { NativeInput, NativeKernel } from './native-ops.js';
import { shapeSize } from './shape-size.js';

const rowsOf = ({ shape }: NativeInput<unknown>, width: number): number => shapeSize(shape) / width;

/** Layers as few TensorFlow operations, and their gradients; the functions in src/model/ops and layers describe them. */
export const nativeLayerKernels: Readonly<Record<string, NativeKernel>> = {
  RelflowLinear: (ops, { x, weight, bias }, { activation }) => {
    const m = new NativeMath(ops);
    const [inputs, outputs] = weight!.shape as [number, number];
    const y = m.product(m.reshape(x!.value, [rowsOf(x!, inputs), inputs]), weight!.value, false, false);
    const biased = m.binary('BiasAdd', y, bias!.value);
    return m.reshape(activation === 'relu' ? m.unary('Relu', biased) : biased, [...x!.shape.slice(0, -1), outputs]);
  },

  RelflowLinearGradient: (ops, { x, weight, dy, y }) => {
    const m = new NativeMath(ops);
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = rowsOf(x!, inputs);
    const masked = y ? m.binary('ReluGrad', dy!.value, y.value) : dy!.value;
    const gradient = m.reshape(masked, [rows, outputs]);
    return [
      m.reshape(m.product(gradient, weight!.value, false, true), x!.shape),
      m.product(m.reshape(x!.value, [rows, inputs]), gradient, true, false),
      m.unary('BiasAddGrad', gradient),
    ];
  },

  RelflowLayerNorm: (ops, { x, gamma, beta }, { epsilon }) => {
    const m = new NativeMath(ops);
    const width = shapeSize(gamma!.shape);
    const rows = m.reshape(x!.value, [rowsOf(x!, width), width]);
    const mean = m.reduce('Mean', rows, [1], true);
    const centered = m.sub(rows, mean);
    const variance = m.reduce('Mean', m.unary('Square', centered), [1], true);
    const scale = m.unary('Rsqrt', m.add(variance, m.number(epsilon as number)));
    const y = m.add(m.mul(m.mul(centered, scale), gamma!.value), beta!.value);
    return [m.reshape(y, x!.shape), m.concat([mean, scale], 1)];
  },

  RelflowLayerNormGradient: (ops, { x, gamma, statistics, dy }) => {
    const m = new NativeMath(ops);
    const width = shapeSize(gamma!.shape);
    const count = rowsOf(x!, width);
    const column = (k: number) => m.slice(statistics!.value, [0, k], [count, 1]);
    const scale = column(1);
    const normalized = m.mul(m.sub(m.reshape(x!.value, [count, width]), column(0)), scale);
    const gradient = m.reshape(dy!.value, [count, width]);
    const scaled = m.mul(gradient, gamma!.value);
    const both = m.mul(gradient, normalized);
    const alongX = m.reduce('Mean', m.mul(both, gamma!.value), [1], true);
    const change = m.sub(m.sub(scaled, m.reduce('Mean', scaled, [1], true)), m.mul(normalized, alongX));
    return [
      m.reshape(m.mul(change, scale), x!.shape),
      m.reduce('Sum', both, [0], false),
      m.reduce('Sum', gradient, [0], false),
    ];
  },

  RelflowGelu: (ops, { x }) => {
    const m = new NativeMath(ops);
    const above = m.add(m.unary('Erf', m.mul(x!.value, m.number(Math.SQRT1_2))), m.number(1));
    return m.mul(m.mul(x!.value, m.number(0.5)), above);
  },

  RelflowGeluGradient: (ops, { x, dy }) => {
    const m = new NativeMath(ops);
    const erf = m.unary('Erf', m.mul(x!.value, m.number(Math.SQRT1_2)));
    const below = m.mul(m.add(erf, m.number(1)), m.number(0.5));
    const power = m.unary('Exp', m.mul(m.unary('Square', x!.value), m.number(-0.5)));
    const density = m.mul(power, m.number(1 / Math.sqrt(2 * Math.PI)));
    return m.mul(dy!.value, m.add(below, m.mul(x!.value, density)));
  },

  RelflowSoftmaxGradient: (ops, { y, dy }) => {
    const m = new NativeMath(ops);
    const sum = m.reduce('Sum', m.mul(dy!.value, y!.value), [y!.shape.length - 1], true);
    return m.mul(m.sub(dy!.value, sum), y!.value);
  },
};
