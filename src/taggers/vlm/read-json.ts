import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** Returns the JSON object in an answer, which a model may put between other words or in a code block; undefined if there is none. */
export function jsonObjectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The maximum length of a problem in characters: it may quote the answer. */
const MAX_PROBLEM = 200;

/** Returns a function that returns what is wrong with the form of an answer; undefined if nothing is. The schema is compiled on first use. */
export function formCheck(schema: Readonly<Record<string, unknown>>): (answer: unknown) => string | undefined {
  let fits: ValidateFunction | undefined;
  return (answer) => {
    fits ??= new Ajv2020({ validateSchema: false, allowUnionTypes: true }).compile(schema);
    if (fits(answer)) return undefined;
    const [error] = fits.errors ?? [];
    return `${error?.instancePath || 'it'} ${error?.message ?? 'has another form'}`.slice(0, MAX_PROBLEM);
  };
}
