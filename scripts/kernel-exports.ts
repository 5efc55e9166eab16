import { basename } from 'node:path';
import { type KernelModule, sourcesOf } from './kernel-modules.js';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
}

interface Struct {
  readonly name: string;
  readonly bytes: number;
  readonly fields: readonly Field[];
}

/** Types of fields → bytes. A field of a struct's type holds an address, `usize`. */
const fieldBytes: Readonly<Record<string, number>> = { i32: 4, f32: 4, usize: 4, f64: 8 };

/**
 * Returns the TypeScript file that describes a module's exported functions and `@unmanaged` structs, so that JavaScript
 * addresses fields by the kernel's own layout.
 * @param file its path; types are named after it
 * @throws Error if the sources lack an exported function, or a struct has a field of another type
 */
export function kernelExports({ entry }: KernelModule, file: string): string {
  const sources = [...sourcesOf(entry)];
  const texts = sources.map(([, text]) => text).join('\n');
  const name = basename(file, '.ts').replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const functions = exportedNames(sources[0]![1]).map((exported) => signature(exported, texts));
  const structs = structsIn(texts);
  return [
    '// Written by `npm run build:kernels`: do not edit.',
    '',
    `/** Functions that ${basename(entry)} exports; arrays and structs are addresses. */`,
    `export interface ${name} {`,
    ...functions,
    '}',
    ...(structs.length > 0 ? ['', ...structLines(`${name[0]!.toLowerCase()}${name.slice(1)}`, structs)] : []),
    '',
  ].join('\n');
}

/**
 * Returns the TypeScript file that lists the parameters of a module's exported functions, so that JavaScript passes arguments
 * by name.
 * @param file its path; the table is named after it
 * @throws Error if the sources lack an exported function
 */
export function kernelParameters({ entry }: KernelModule, file: string): string {
  const sources = [...sourcesOf(entry)];
  const texts = sources.map(([, text]) => text).join('\n');
  const table = basename(file, '.ts').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [
    '// Written by `npm run build:kernels`: do not edit.',
    '',
    `/** Parameters of the functions that ${basename(entry)} exports, in order. */`,
    `export const ${table} = {`,
    ...exportedNames(sources[0]![1]).map((name) => {
      const parameters = findFunction(name, texts).parameters.map((parameter) => `'${parameter}'`);
      const line = `  ${name}: [${parameters.join(', ')}],`;
      // As the formatter breaks lines.
      return line.length <= 120 ? line : [`  ${name}: [`, ...parameters.map((one) => `    ${one},`), '  ],'].join('\n');
    }),
    '} as const;',
    '',
  ].join('\n');
}

function exportedNames(entry: string): readonly string[] {
  const exported = [...entry.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, names]) => names!.match(/\w+/g) ?? []);
  const own = [...entry.matchAll(/^export function (\w+)/gm)].map(([, name]) => name!);
  return [...exported, ...own].sort();
}

/** Finds an exported function's parameters and result type. */
function findFunction(
  name: string,
  texts: string,
): { readonly parameters: readonly string[]; readonly result: string } {
  const found = new RegExp(`^export function ${name}\\(([^)]*)\\): (\\w+)`, 'm').exec(texts);
  if (!found) throw new Error(`build:kernels: no function ${name} in the sources`);
  return { parameters: [...found[1]!.matchAll(/(\w+): \w+/g)].map(([, parameter]) => parameter!), result: found[2]! };
}

function signature(name: string, texts: string): string {
  const found = findFunction(name, texts);
  const parameters = found.parameters.map((parameter) => `${parameter}: number`);
  const result = found.result === 'void' ? 'void' : 'number';
  const line = `  ${name}(${parameters.join(', ')}): ${result};`;
  // As the formatter breaks lines.
  if (line.length <= 120) return line;
  return [`  ${name}(`, ...parameters.map((parameter) => `    ${parameter},`), `  ): ${result};`].join('\n');
}

function structsIn(texts: string): readonly Struct[] {
  const classes = [...texts.matchAll(/^@unmanaged\nexport class (\w+) \{\n([\s\S]*?)^\}/gm)];
  const names = new Set(classes.map(([, name]) => name!));
  return classes.map(([, name, body]) => {
    let bytes = 0;
    const fields = [...body!.matchAll(/^ {2}(\w+): (\w+);/gm)].map(([, field, declared]): Field => {
      const type = names.has(declared!) ? 'usize' : declared!;
      const size = fieldBytes[type];
      if (size === undefined)
        throw new Error(
          `build:kernels: ${name}.${field} is ${type}, expected ${Object.keys(fieldBytes).join(', ')} or a struct`,
        );
      const offset = Math.ceil(bytes / size) * size;
      bytes = offset + size;
      return { name: field!, type, offset };
    });
    return { name: name!, bytes, fields };
  });
}

function structLines(name: string, structs: readonly Struct[]): readonly string[] {
  return [
    "/** Each struct's size in bytes, and the offset and type of each field. */",
    `export const ${name.replace(/Exports$/, 'Structs')} = {`,
    ...structs.flatMap(({ name: struct, bytes, fields }) => [
      `  ${struct}: {`,
      `    bytes: ${bytes},`,
      '    fields: {',
      ...fields.map((field) => `      ${field.name}: { offset: ${field.offset}, type: '${field.type}' },`),
      '    },',
      '  },',
    ]),
    '} as const;',
  ];
}
