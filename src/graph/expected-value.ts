import type { TSchema } from '../records/type.js';

interface OptionSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: TSchema;
}

/** Describes the values that an option accepts, for messages: `a whole number of at least 1`. */
export function expectedValue(schema: TSchema): string {
  const { type, enum: choices, items, ...range } = schema as OptionSchema;
  if (choices) return `one of ${choices.join(', ')}`;
  switch (type) {
    case 'integer':
      return `a whole number${rangeText(range)}`;
    case 'number':
      return `a number${rangeText(range)}`;
    case 'string':
      return 'a text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list, each item ${items ? expectedValue(items) : 'any value'}`;
    default:
      return 'a value that fits its schema';
  }
}

function rangeText({ minimum, maximum, exclusiveMinimum }: OptionSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}
