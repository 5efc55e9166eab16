import jsep from 'jsep';
import { OptionError } from '../errors.js';
import type { RelationSource } from '../records/candidate.js';
import type { Relation, SceneGraph } from '../records/scene-graph.js';

/** An expression about a relation and its image, as data: for filters here and for queries elsewhere. */
export type RelationExpression =
  | { readonly kind: 'and' | 'or'; readonly left: RelationExpression; readonly right: RelationExpression }
  | { readonly kind: 'not'; readonly operand: RelationExpression }
  | FieldExpression;

/** What an expression says about one field. */
export type FieldExpression =
  | { readonly kind: 'compare'; readonly field: string; readonly operator: Comparison; readonly value: Value }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly Value[] };

/** `like` compares texts without regard to case; `%` stands for any characters. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like';

/** The value of a field. */
export type Value = string | number;

interface Field {
  readonly type: 'text' | 'number';
  readonly summary: string;
  readonly of: (relation: Relation, graph: SceneGraph) => Value;
}

const text = (summary: string, of: (relation: Relation, graph: SceneGraph) => string): Field => ({
  type: 'text',
  summary,
  of,
});
const number = (summary: string, of: (relation: Relation, graph: SceneGraph) => number): Field => ({
  type: 'number',
  summary,
  of,
});

/** Returns what states a relation: a caption, people, or its own source. */
export function relationSource({
  source,
  captions,
}: Pick<Relation, 'source' | 'captions'>): RelationSource | 'caption' | 'people' {
  return source ?? (captions === undefined ? 'people' : 'caption');
}

/** Returns the name of the tagger of a relation; `people` if people annotated it, also among those that a tagger scored. */
export function relationTagger(relation: Relation, { provenance }: SceneGraph): string {
  const isOfPeople = relation.confidence === undefined && relationSource(relation) === 'people';
  return isOfPeople ? 'people' : (provenance.tagger?.name ?? 'people');
}

/** The fields that an expression may name. */
export const RELATION_FIELDS: Readonly<Record<string, Field>> = {
  predicate: text('the relation, such as riding', ({ predicate }) => predicate),
  subject: text('category of the subject', ({ subject }, { objects }) => objects[subject]?.category ?? ''),
  object: text(
    "category of the object, '' for a relation without one",
    ({ object }, { objects }) => objects[object ?? -1]?.category ?? '',
  ),
  confidence: number('confidence, 1 where people annotated the relation', ({ confidence = 1 }) => confidence),
  subject_score: number(
    "score of the subject's box, 1 where people drew it",
    ({ subject }, { objects }) => objects[subject]?.score ?? 1,
  ),
  object_score: number(
    "score of the object's box, 1 where people drew it",
    ({ object }, { objects }) => objects[object ?? -1]?.score ?? 1,
  ),
  source: text(
    "what proposed the relation: 'caption', 'geometry' or 'proposal'; 'people' where people annotated it",
    (relation) => relationSource(relation),
  ),
  tagger: text("name of the tagger, 'people' where people annotated the relation", (relation, graph) =>
    relationTagger(relation, graph),
  ),
  image: text("the image's id", (_, { image }) => String(image.id)),
  file: text("the image's file", (_, { image }) => image.file),
  dataset: text("name of the image's data set", (_, { image }) => image.dataset),
  split: text('split of the data set, such as train2017', (_, { image }) => image.split),
  width: number("the image's width in pixels", (_, { image }) => image.width),
  height: number("the image's height in pixels", (_, { image }) => image.height),
  objects: number('number of objects in the image', (_, { objects }) => objects.length),
  relations: number('number of relations in the image', (_, { relations }) => relations.length),
};

let isPrepared = false;

/** Adds the words of expressions to the parser. */
function prepare(): void {
  if (isPrepared) return;
  for (const word of ['or', 'OR']) jsep.addBinaryOp(word, 1);
  for (const word of ['and', 'AND']) jsep.addBinaryOp(word, 2);
  jsep.addBinaryOp('=', 6);
  for (const word of ['in', 'not in', 'like']) for (const form of [word, word.toUpperCase()]) jsep.addBinaryOp(form, 7);
  for (const word of ['not', 'NOT']) jsep.addUnaryOp(word);
  isPrepared = true;
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '==': '=',
  '===': '=',
  '!=': '!=',
  '!==': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  like: 'like',
};

/** The comparison that holds for `b ? a` when another holds for `a ? b`. */
const SWAPPED: Readonly<Partial<Record<Comparison, Comparison>>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/**
 * Parses an expression such as `confidence >= 0.5 and predicate != "on"`. Fields are those of `RELATION_FIELDS`; operators
 * are `=`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`, `like`, `and`, `or`, `not`, and parentheses.
 *
 * @param where the option that the expression comes from, for messages
 * @throws OptionError when the expression cannot be read, names an unknown field or compares a text with a number
 */
export function parseRelationExpression(expression: string, where: string): RelationExpression {
  prepare();
  const fail = (problem: string): never => {
    throw new OptionError(where, `${problem} in '${expression}'`);
  };
  if (expression.length > 10_000) throw new OptionError(where, 'the expression has more than 10,000 characters');
  let parsed: jsep.Expression;
  try {
    parsed = jsep(expression);
  } catch (error) {
    return fail(`${(error as Error).message}, expected an expression such as confidence >= 0.5`);
  }
  return readNode(parsed, fail);
}

type Fail = (problem: string) => never;

function readNode(node: jsep.Expression, fail: Fail): RelationExpression {
  if (isNot(node)) return { kind: 'not', operand: readNode((node as jsep.UnaryExpression).argument, fail) };
  if (node.type !== 'BinaryExpression') return fail(`${found(node)}, expected a comparison such as confidence >= 0.5`);
  const { operator, left, right } = node as jsep.BinaryExpression;
  const word = operator.toLowerCase();
  if (word === 'and' || word === '&&') return { kind: 'and', left: readNode(left, fail), right: readNode(right, fail) };
  if (word === 'or' || word === '||') return { kind: 'or', left: readNode(left, fail), right: readNode(right, fail) };
  // The parser binds `not` to the name next to it.
  if (isNot(left)) {
    const compared = { ...node, left: (left as jsep.UnaryExpression).argument };
    return { kind: 'not', operand: readNode(compared, fail) };
  }
  if (word === 'in' || word === 'not in') {
    if (right.type !== 'ArrayExpression') return fail(`'in' needs a list such as ["on", "in"]`);
    const field = fieldOf(left, fail);
    const elements = (right as jsep.ArrayExpression).elements;
    const values = elements.map((element) => (element ? literalOf(element, field, fail) : fail('an empty place')));
    const test = { kind: 'in', field, values } as const;
    return word === 'in' ? test : { kind: 'not', operand: test };
  }
  const comparison = COMPARISONS[word] ?? fail(`unknown operator '${operator}'`);
  const isSwapped = isLiteral(left) && comparison !== 'like';
  const field = fieldOf(isSwapped ? right : left, fail);
  const value = literalOf(isSwapped ? left : right, field, fail);
  const isText = typeof value === 'string';
  if (comparison === 'like' && !isText) return fail(`'like' needs a field with a text, and '${field}' is a number`);
  return { kind: 'compare', field, operator: isSwapped ? (SWAPPED[comparison] ?? comparison) : comparison, value };
}

function fieldOf(node: jsep.Expression, fail: Fail): string {
  if (node.type !== 'Identifier') return fail(`${found(node)}, expected the name of a field`);
  const { name } = node as jsep.Identifier;
  if (Object.hasOwn(RELATION_FIELDS, name)) return name;
  return fail(`unknown field '${name}', expected one of ${Object.keys(RELATION_FIELDS).join(', ')}`);
}

function literalOf(node: jsep.Expression, field: string, fail: Fail): Value {
  const type = RELATION_FIELDS[field]?.type;
  const value = numberOf(node) ?? (node.type === 'Literal' ? (node as jsep.Literal).value : undefined);
  if (type === 'number' && typeof value === 'number') return value;
  // An image's id may be written as a number.
  if (type === 'text' && (typeof value === 'string' || (field === 'image' && typeof value === 'number')))
    return String(value);
  return fail(
    `${found(node)}, expected ${type === 'number' ? 'a number' : 'a text in quotation marks'} for '${field}'`,
  );
}

function isNot(node: jsep.Expression): boolean {
  return node.type === 'UnaryExpression' && /^(?:!|not)$/i.test((node as jsep.UnaryExpression).operator);
}

function isLiteral(node: jsep.Expression): boolean {
  return node.type === 'Literal' || numberOf(node) !== undefined;
}

/** Returns a number with its sign; undefined for anything else. */
function numberOf(node: jsep.Expression): number | undefined {
  if (node.type === 'Literal') {
    const { value } = node as jsep.Literal;
    return typeof value === 'number' ? value : undefined;
  }
  if (node.type !== 'UnaryExpression') return undefined;
  const { operator, argument } = node as jsep.UnaryExpression;
  const value = numberOf(argument);
  return value === undefined || !/^[+-]$/.test(operator) ? undefined : operator === '-' ? -value : value;
}

function found(node: jsep.Expression): string {
  if (node.type === 'Identifier') return `found '${(node as jsep.Identifier).name}'`;
  if (node.type === 'Literal') return `found ${(node as jsep.Literal).raw}`;
  if (node.type === 'Compound') return 'found several expressions or none';
  return 'found something else';
}

/** Tests a relation of a scene graph. */
export type RelationTest = (relation: Relation, graph: SceneGraph) => boolean;

/** Makes the test that an expression stands for. */
export function relationTest(expression: RelationExpression): RelationTest {
  switch (expression.kind) {
    case 'and': {
      const [left, right] = [relationTest(expression.left), relationTest(expression.right)];
      return (relation, graph) => left(relation, graph) && right(relation, graph);
    }
    case 'or': {
      const [left, right] = [relationTest(expression.left), relationTest(expression.right)];
      return (relation, graph) => left(relation, graph) || right(relation, graph);
    }
    case 'not': {
      const test = relationTest(expression.operand);
      return (relation, graph) => !test(relation, graph);
    }
    default: {
      const of = valueReader(expression.field);
      const holds = valueTest(expression);
      return (relation, graph) => holds(of(relation, graph));
    }
  }
}

/** Makes the test of a field's value that a comparison or a list stands for. */
export function valueTest(expression: FieldExpression): (value: Value) => boolean {
  if (expression.kind === 'compare') return comparisonWith(expression.operator, expression.value);
  const values = new Set(expression.values);
  return (value) => values.has(value);
}

function valueReader(field: string): Field['of'] {
  const found = RELATION_FIELDS[field];
  if (!found) throw new OptionError('where', `unknown field '${field}'`);
  return found.of;
}

function comparisonWith(operator: Comparison, value: Value): (found: Value) => boolean {
  switch (operator) {
    case '=':
      return (found) => found === value;
    case '!=':
      return (found) => found !== value;
    case '<':
      return (found) => found < value;
    case '<=':
      return (found) => found <= value;
    case '>':
      return (found) => found > value;
    case '>=':
      return (found) => found >= value;
    case 'like': {
      const parts = String(value)
        .toLowerCase()
        .split('%')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      const pattern = new RegExp(`^${parts.join('[\\s\\S]*?')}$`);
      return (found) => pattern.test(String(found).toLowerCase());
    }
  }
}
