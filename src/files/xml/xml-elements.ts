import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { InputError } from '../../errors.js';
import { ByteReader } from '../json/byte-reader.js';
import { longerThan, readerLimits } from '../reader-limits.js';

/** An element of an XML file with all that is in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text directly in the element, trimmed. */
  readonly text: string;
}

/** What is read of an XML file. */
export interface XmlOptions {
  /** The name of the outermost element. */
  readonly root: string;
  /** Names of the elements that are returned, at any depth; omit it to return the outermost element as a whole. */
  readonly names?: readonly string[];
  /** Stops the reading between two reads, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each read with the number of bytes on disk read so far and in total. */
  readonly onRead?: (done: number, total: number) => void;
}

const chunkBytes = 64 * 1024;
const maxDepth = 512;
const maxParts = 1_000_000;

/**
 * Reads an XML file of any size, gzip or not, as elements in file order. Memory holds one of them. Entities that a file declares
 * are not known, so that none is expanded and no other file is read.
 * @throws InputError if the file cannot be read, is not XML, has another outermost element, declares an entity that is used, or
 * if an element is too long, has more than a million others in it, or is nested more than 512 deep
 */
export async function* xmlElements(file: string, options: XmlOptions): AsyncGenerator<XmlElement, void, void> {
  const { root, names = [root], signal, onRead } = options;
  const reader = await ByteReader.open(file);
  try {
    const { maxElementBytes } = readerLimits();
    const collector = new ElementCollector(file, root, new Set(names), maxElementBytes);
    const buffer = Buffer.alloc(chunkBytes);
    let decoder: TextDecoder | undefined;
    for (let length = -1; length !== 0; ) {
      signal?.throwIfAborted();
      length = await reader.read(buffer, 0, chunkBytes);
      onRead?.(reader.consumed, reader.size);
      decoder ??= decoderOf(file, buffer.toString('latin1', 0, Math.min(length, 200)));
      const bytes = buffer.subarray(0, length);
      yield* collector.add(decodeWith(decoder, bytes, length > 0, file), length === 0);
    }
  } finally {
    await reader.close();
  }
}

/** Returns the first of an element's children with a name. */
export const childOf = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child) => child.name === name);

/** Returns the text of an element's first child with a name; undefined if it has none, or an empty one. */
export const childText = (element: XmlElement | undefined, name: string): string | undefined =>
  childOf(element, name)?.text || undefined;

/** Returns a decoder of the encoding that the declaration names; UTF-16 has been converted by the reader. */
function decoderOf(file: string, start: string): TextDecoder {
  const named = /^[^<]*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1] ?? 'utf-8';
  const encoding = /^utf-?16/i.test(named) ? 'utf-8' : named;
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new InputError(file, `has the encoding '${named}', which is not known; save the file as UTF-8`, undefined, {
      cause: error,
    });
  }
}

function decodeWith(decoder: TextDecoder, bytes: Buffer, stream: boolean, file: string): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (error) {
    const problem = `is not ${decoder.encoding}, the encoding that it says it has; save the file as UTF-8`;
    throw new InputError(file, problem, undefined, { cause: error });
  }
}

/** An element while it is read. */
interface OpenElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  children: OpenElement[];
  text: string;
}

const noChildren: OpenElement[] = [];

/** Collects the wanted elements from the events of the parser. */
class ElementCollector {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #parser = new SaxesParser();
  readonly #done: XmlElement[] = [];
  /** The elements that are open within a wanted one, which is the first. */
  readonly #open: OpenElement[] = [];
  #depth = 0;
  #parts = 0;
  /** Characters since the last event, or since the start of the wanted element. */
  #length = 0;

  constructor(file: string, root: string, names: ReadonlySet<string>, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#parser.on('error', (error) => {
      const entity = /undefined entity/.test(error.message)
        ? '; entities that a file declares are not read, write the characters instead'
        : '';
      throw new InputError(file, `is not XML that can be read, at ${error.message.replace(/\.$/, '')}${entity}`);
    });
    this.#parser.on('opentag', ({ name, attributes }) => {
      if (this.#depth++ === 0 && name !== root)
        throw new InputError(file, `the outermost element is <${name.slice(0, 80)}>, expected <${root}>`);
      if (this.#depth > maxDepth) throw new InputError(file, `more than ${maxDepth} elements are nested`);
      const parent = this.#open.at(-1);
      if (!parent && !names.has(name)) return this.#event();
      if (++this.#parts > maxParts)
        throw new InputError(file, `<${this.#open[0]?.name}> has more than ${maxParts} elements in it`);
      const element = { name, attributes: attributes as Record<string, string>, children: noChildren, text: '' };
      if (parent?.children === noChildren) parent.children = [];
      parent?.children.push(element);
      this.#open.push(element);
    });
    const onText = (text: string) => {
      const element = this.#open.at(-1);
      if (element) element.text += text;
      else this.#event();
    };
    this.#parser.on('text', onText);
    this.#parser.on('cdata', onText);
    for (const event of ['comment', 'doctype', 'processinginstruction', 'xmldecl'] as const)
      this.#parser.on(event, () => this.#event());
    this.#parser.on('closetag', () => {
      this.#depth--;
      const element = this.#open.pop();
      if (element) element.text = element.text.trim();
      if (!element || this.#open.length > 0) return;
      this.#done.push(element);
      this.#event();
    });
  }

  *add(text: string, isLast: boolean): Generator<XmlElement> {
    this.#length += text.length;
    this.#parser.write(text);
    if (isLast) this.#parser.close();
    if (this.#length > this.#maxBytes + chunkBytes)
      throw new InputError(this.#file, longerThan(`<${this.#open[0]?.name ?? '…'}>`, this.#maxBytes));
    yield* this.#done.splice(0);
  }

  /** Nothing of what was read so far is held any more. */
  #event(): void {
    if (this.#open.length > 0) return;
    this.#length = 0;
    this.#parts = 0;
  }
}
