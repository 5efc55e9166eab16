import Table from 'cli-table3';

/** One thing that was measured on one backend. */
export interface Measurement {
  /** The same on every backend. */
  readonly name: string;
  readonly milliseconds: number;
  /** Milliseconds of the backend's own 1024³ matrix product, measured beside it. */
  readonly unit: number;
  /** Which part of that product's rate its own products reach; undefined where they are not what is measured. */
  readonly share?: number;
  /** How many times faster than the plain version. */
  readonly speedup?: number;
  /** Milliseconds of the first time, in which a GPU's programs are compiled. */
  readonly first?: number;
  /** Lines of the kernels that take the time. */
  readonly profile?: readonly string[];
}

/** What a process says of its backend. */
export interface BackendMeasurements {
  readonly backend: string;
  readonly threads: number;
  readonly measurements: readonly Measurement[];
  /** What the webgpu backend runs on. */
  readonly adapter?: string;
  /** Bytes of the process at most, of the backend's heap where it has one, and of what it holds of a GPU's memory. */
  readonly resident: number;
  readonly heap?: number;
  readonly device?: number;
}

/** What the official PyTorch took for an image, in its own 1024³ matrix products of 33 ms: on two threads. */
const OFFICIAL_PYTORCH = { product: 33, oneGroup: 19_000, fourGroups: 55_000 };

export const ENCODING = 'backbone and encoder, 800 × 1066, 81 + 19 texts';
export const decoding = (groups: number): string =>
  `decoders, ${groups} ${groups === 1 ? 'group' : 'groups'} of 100 pairs`;

const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Backends side by side, and what an image takes beside the official PyTorch. */
export function formatReport(all: readonly BackendMeasurements[]): string {
  const first = all[0]!;
  const head = [
    '',
    ...all.map(({ backend, threads, adapter }) => `${backend}, ${adapter ?? `${threads} threads`}`),
    ...all.slice(1).map(({ backend }) => `${first.backend} : ${backend}`),
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const name of new Set(all.flatMap(({ measurements }) => measurements.map((one) => one.name)))) {
    const row = all.map(({ measurements }) => measurements.find((one) => one.name === name));
    const ratios = row.slice(1).map((other) => {
      const own = row[0];
      return own && other ? (own.milliseconds / other.milliseconds).toFixed(2) : '';
    });
    table.push([name, ...row.map((one) => (one ? cell(one) : '')), ...ratios]);
  }
  const memory = ({ resident, heap, device }: BackendMeasurements) => {
    const parts = [gigabytes(resident)];
    if (heap !== undefined) parts.push(`heap ${gigabytes(heap)}`);
    if (device !== undefined) parts.push(`GPU ${gigabytes(device)}`);
    return parts.join(', ');
  };
  table.push(['memory at most', ...all.map(memory), ...all.slice(1).map(() => '')]);
  return [table.toString(), ...all.flatMap(compareWithOfficial)].join('\n');
}

function cell({ milliseconds, unit, share, speedup, first }: Measurement): string {
  const parts = [seconds(milliseconds)];
  if (speedup !== undefined) parts.push(`${speedup.toFixed(1)} times the plain version's speed`);
  else if (milliseconds !== unit) parts.push(`${Math.round(milliseconds / unit)} products`);
  if (share !== undefined) parts.push(`${Math.round(100 * share)} % of their rate`);
  if (first !== undefined) parts.push(`${seconds(first)} the first time`);
  return parts.join(', ');
}

/** A whole image with its label vectors cached, in matrix products, which other machines have other times of; where it was measured. */
function compareWithOfficial({ backend, measurements }: BackendMeasurements): string[] {
  const products = (name: string) => {
    const one = measurements.find((measured) => measured.name === name);
    return one && one.milliseconds / one.unit;
  };
  const lines = (
    [
      [1, OFFICIAL_PYTORCH.oneGroup],
      [4, OFFICIAL_PYTORCH.fourGroups],
    ] as const
  ).flatMap(([groups, official]) => {
    const [encoding, decoders] = [products(ENCODING), products(decoding(groups))];
    if (encoding === undefined || decoders === undefined) return [];
    const own = encoding + decoders;
    const other = official / OFFICIAL_PYTORCH.product;
    return `${groups} ${groups === 1 ? 'group' : 'groups'} in ${Math.round(own)} matrix products of its own (official PyTorch: ${Math.round(other)}, ${(other / own).toFixed(2)} times as many)`;
  });
  return lines.length > 0 ? [`${backend}, an image: ${lines.join('; ')}`] : [];
}
