import { parserKernelStructs } from './parser-kernel-exports.js';
import type { ParserKernels } from './parser-kernels.js';

type Structs = typeof parserKernelStructs;
export type StructName = keyof Structs;
type FieldName<S extends StructName> = keyof Structs[S]['fields'];
interface Field {
  readonly offset: number;
  readonly type: 'i32' | 'f32' | 'f64' | 'usize';
}

const fieldsOf = (name: StructName) => Object.entries(parserKernelStructs[name].fields) as [string, Field][];

/**
 * Allocates a struct in the kernels' memory and sets its fields, by the layout that the kernels have.
 * @param values every field's number, or address
 * @returns its address
 */
export function createStruct<S extends StructName>(
  kernels: ParserKernels,
  name: S,
  values: Readonly<Record<FieldName<S>, number>>,
): number {
  const { byteOffset } = allocateStructs(kernels, name, 1);
  const view = new DataView(kernels.memory.buffer, byteOffset);
  for (const [field, { offset, type }] of fieldsOf(name)) {
    const value = values[field as FieldName<S>];
    if (type === 'f32') view.setFloat32(offset, value, true);
    else if (type === 'f64') view.setFloat64(offset, value, true);
    else view.setInt32(offset, value, true);
  }
  return byteOffset;
}

/** Allocates the memory of several structs in a row, filled with zeros. */
export const allocateStructs = (kernels: ParserKernels, name: StructName, count: number): Uint8Array =>
  kernels.bytes(count * parserKernelStructs[name].bytes);

/** Returns the length of a struct of 32-bit fields and the index of each field, in an `Int32Array`. */
export function structIndices<S extends StructName>(name: S): Readonly<Record<FieldName<S> | 'length', number>> {
  const indices = fieldsOf(name).map(([field, { offset }]) => [field, offset / 4]);
  return Object.fromEntries([...indices, ['length', parserKernelStructs[name].bytes / 4]]) as Record<
    FieldName<S> | 'length',
    number
  >;
}
