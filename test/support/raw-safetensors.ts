import { writeFileSync } from 'node:fs';

/** Writes arrays as safetensors, whatever their numbers. @param shapes of arrays with more than one dimension */
export function writeRawSafetensors(
  path: string,
  arrays: Readonly<Record<string, readonly number[]>>,
  metadata: Readonly<Record<string, string>> = {},
  shapes: Readonly<Record<string, readonly number[]>> = {},
): void {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { length }] of Object.entries(arrays)) {
    header[name] = { dtype: 'F32', shape: shapes[name] ?? [length], data_offsets: [end, end + 4 * length] };
    end += 4 * length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 * Math.ceil(text.length / 8), ' ');
  text.copy(padded);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  const numbers = Float32Array.from(Object.values(arrays).flat());
  writeFileSync(path, Buffer.concat([size, padded, Buffer.from(numbers.buffer)]));
}
