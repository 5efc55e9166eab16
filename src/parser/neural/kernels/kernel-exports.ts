/** What parser-kernels.wasm exports: see parser-kernels.as.ts. Arrays are addresses. */
export interface KernelExports {
  freeFrom(): number;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    c: number,
    panel: number,
  ): void;
  linear16(
    rows: number,
    inputs: number,
    outputs: number,
    x: number,
    w: number,
    scales: number,
    b: number,
    y: number,
    scratch: number,
    isRelu: number,
  ): void;
  scan(gates: number, c: number, width: number, rows: number): void;
  add(a: number, b: number, length: number): void;
  addRelu(a: number, b: number, length: number): void;
  relu(a: number, length: number): void;
  dot(a: number, b: number, length: number): number;
  windows(
    rows: number,
    width: number,
    slots: number,
    given: number,
    window: number,
    bias: number,
    table: number,
    flags: number,
    to: number,
  ): void;
  addExpected(
    rows: number,
    width: number,
    count: number,
    scores: number,
    weights: number,
    table: number,
    x: number,
    to: number,
  ): void;
  pairInputs(
    count: number,
    width: number,
    pairs: number,
    mentions: number,
    between: number,
    distances: number,
    b: number,
    least: number,
    most: number,
    to: number,
  ): void;
  likeliest(rows: number, width: number, scores: number, places: number, probabilities: number): void;
  likeliestTags(
    scores: number,
    transitions: number,
    starts: number,
    length: number,
    count: number,
    reach: number,
    work: number,
    tags: number,
    totals: number,
  ): number;
  read(plan: number, rows: number, readings: number, reach: number): void;
}
