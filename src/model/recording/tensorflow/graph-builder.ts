import { createRequire } from 'node:module';
import type * as tf from '@tensorflow/tfjs-core';
import {
  constantKey,
  type NativeAttribute,
  type NativeInput,
  type NativeOps,
} from '../../backends/kernels/native-ops.js';
import { nativePackage } from '../../backends/start-native-backend.js';

/** Attribute of a node: those of operations that also run at once, and lists, texts, shapes and numbers. */
export type NodeAttribute =
  | NativeAttribute
  | { readonly ints: readonly number[] }
  | { readonly text: string }
  | { readonly shape: readonly number[] }
  | { readonly numbers: tf.TypedArray; readonly shape: readonly number[] };

/** A float32 value: the node's output that holds it, and its shape. */
type NodeValue = Pick<NativeInput<string>, 'value' | 'shape'>;

/** A message of tfjs-node's protobuf classes, of which only setters are used. */
interface Message {
  serializeBinary(): Uint8Array;
  readonly [method: string]: (...values: unknown[]) => unknown;
}

type Messages = Readonly<Record<string, new () => Message>>;

/** The version of the graph's format. */
const PRODUCER = 1087;

/** TensorFlow's numbers of types. */
const TYPES: Readonly<Record<string, number>> = { float32: 1, int32: 3, bool: 10 };

let messages: Messages | undefined;

/** tfjs-node's classes for TensorFlow's protobuf messages. */
function protobuf(): Messages {
  messages ??= createRequire(import.meta.url)(`${nativePackage()!}/dist/proto/api_pb`) as Messages;
  return messages;
}

/** @param kind name of a message, or of one within another, `Outer.Inner` */
function make(kind: string): Message {
  const path = kind.split('.');
  const found = path.reduce<unknown>((outer, name) => (outer as Messages)[name], protobuf());
  return new (found as new () => Message)();
}

/** Builds a TensorFlow graph. What stands for a tensor is the name of the output of a node. */
export class GraphBuilder implements NativeOps<string> {
  readonly #graph = make('GraphDef');
  readonly #constants = new Map<string, string>();
  readonly #sums = new Set<string>();
  #nodes = 0;

  constructor() {
    const versions = make('VersionDef');
    versions['setProducer']!(PRODUCER);
    this.#graph['setVersions']!(versions);
  }

  run(
    operation: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, NodeAttribute>>,
    name = `n${this.#nodes}`,
  ): string {
    const node = make('NodeDef');
    node['setName']!(name);
    node['setOp']!(operation);
    for (const input of inputs) node['addInput']!(input);
    const map = node['getAttrMap']!() as { set(key: string, value: Message): void };
    for (const [key, value] of Object.entries(attributes)) map.set(key, attributeOf(value));
    this.#graph['addNode']!(node);
    this.#nodes++;
    return name;
  }

  runAll(operation: string, inputs: readonly string[], outputs: number): string[] {
    const name = this.run(operation, inputs, {});
    return Array.from({ length: outputs }, (_, k) => (k === 0 ? name : `${name}:${k}`));
  }

  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32'): string {
    const key = constantKey(values, shape, dtype);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const numbers = dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    const name = this.array(numbers, shape, dtype);
    this.#constants.set(key, name);
    return name;
  }

  /** Makes a constant of many numbers. */
  array(numbers: tf.TypedArray, shape: readonly number[], dtype: tf.DataType): string {
    return this.run('Const', [], { dtype: { type: dtype }, value: { numbers: typed(numbers, dtype), shape } });
  }

  /** Adds an input that each run is given. */
  input(name: string, shape: readonly number[], dtype: tf.DataType): string {
    return this.run('Placeholder', [], { dtype: { type: dtype }, shape: { shape } }, name);
  }

  /**
   * Adds two values. TensorFlow would make one operation of several additions, which starts with the first value that nothing
   * else needs any more: the order, and so the last digits, would depend on which of the threads is faster.
   */
  add(a: NodeValue, b: NodeValue): string {
    const [one, other] = [a, b].map(({ value, shape }) => (this.#sums.has(value) ? this.opaque(value, shape) : value));
    const sum = this.run('AddV2', [one!, other!], { T: { type: 'float32' } });
    this.#sums.add(sum);
    return sum;
  }

  opaque(constant: string, shape: readonly number[]): string {
    return this.run('PlaceholderWithDefault', [constant], { dtype: { type: 'float32' }, shape: { shape } });
  }

  /** Adds a variable that lives on the device, and returns its handle. */
  variable(name: string, shape: readonly number[]): string {
    return this.run(
      'VarHandleOp',
      [],
      { dtype: { type: 'float32' }, shape: { shape }, shared_name: { text: name }, container: { text: '' } },
      name,
    );
  }

  /** Returns the value of a variable. */
  read(variable: string): string {
    return this.run('ReadVariableOp', [variable], { dtype: { type: 'float32' } });
  }

  /** Assigns a value to a variable, after other nodes, and returns the node. */
  assign(variable: string, value: string, after: readonly string[] = []): string {
    return this.run('AssignVariableOp', [variable, value, ...after.map(control)], { dtype: { type: 'float32' } });
  }

  /** Returns the same value once other nodes are done. */
  identity(value: string, after: readonly string[] = [], name?: string): string {
    return this.run('Identity', [value, ...after.map(control)], { T: { type: 'float32' } }, name);
  }

  /** Returns the bytes of a SavedModel with this graph. */
  savedModel(): Uint8Array {
    const info = make('MetaGraphDef.MetaInfoDef');
    info['addTags']!(TAG);
    const meta = make('MetaGraphDef');
    meta['setMetaInfoDef']!(info);
    meta['setGraphDef']!(this.#graph);
    const model = make('SavedModel');
    model['setSavedModelSchemaVersion']!(1);
    model['addMetaGraphs']!(meta);
    return model.serializeBinary();
  }
}

/** The tag of the graph in its SavedModel. */
export const TAG = 'serve';

/** Makes an input that is waited for without being read. */
export const control = (node: string): string => `^${node.split(':')[0]!}`;

function typed(numbers: tf.TypedArray, dtype: tf.DataType): tf.TypedArray {
  if (dtype === 'float32') return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
  if (dtype === 'int32') return numbers instanceof Int32Array ? numbers : Int32Array.from(numbers);
  return Uint8Array.from(numbers);
}

function shapeOf(sizes: readonly number[]): Message {
  const shape = make('TensorShape');
  for (const size of sizes) {
    const dimension = make('TensorShape.Dim');
    dimension['setSize']!(size);
    shape['addDim']!(dimension);
  }
  return shape;
}

function attributeOf(value: NodeAttribute): Message {
  const attribute = make('AttrValue');
  if ('numbers' in value) attribute['setTensor']!(tensorOf(value.numbers, value.shape));
  else if ('type' in value) attribute['setType']!(TYPES[value.type]);
  else if ('int' in value) attribute['setI']!(value.int);
  else if ('bool' in value) attribute['setB']!(value.bool);
  else if ('float' in value) attribute['setF']!(value.float);
  else if ('text' in value) attribute['setS']!(new TextEncoder().encode(value.text));
  else if ('shape' in value) attribute['setShape']!(shapeOf(value.shape));
  else {
    const list = make('AttrValue.ListValue');
    for (const one of value.ints) list['addI']!(one);
    attribute['setList']!(list);
  }
  return attribute;
}

/** A tensor of equal numbers is stored as one of them. */
function tensorOf(numbers: tf.TypedArray, shape: readonly number[]): Message {
  const tensor = make('Tensor');
  const dtype = numbers instanceof Float32Array ? 'float32' : numbers instanceof Int32Array ? 'int32' : 'bool';
  tensor['setDtype']!(TYPES[dtype]);
  tensor['setTensorShape']!(shapeOf(shape));
  const isUniform = numbers.length > 1 && numbers.every((number) => Object.is(number, numbers[0]));
  if (isUniform) tensor[{ float32: 'addFloatVal', int32: 'addIntVal', bool: 'addBoolVal' }[dtype]]!(numbers[0]);
  else tensor['setTensorContent']!(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return tensor;
}
