import Table from 'cli-table3';

/** Measurement of one task on one backend. */
export interface Measurement {
  /** Name of the task, the same on every backend. */
  readonly name: string;
  readonly milliseconds: number;
  /** Milliseconds of the backend's own 1024³ matrix product, measured at about the same time. */
  readonly unit: number;
  /** Rate of its multiply-add operations relative to that matrix product; omitted if it is not measured. */
  readonly share?: number;
  /** Speed relative to the reference implementation. */
  readonly speedup?: number;
  /** Milliseconds of the first run, in which programs of a GPU are compiled. */
  readonly first?: number;
  /** Lines about the slowest kernels. */
  readonly profile?: readonly string[];
}

/** Measurements of one backend, sent by its process. */
export interface BackendMeasurements {
  readonly backend: string;
  readonly threads: number;
  readonly measurements: readonly Measurement[];
  /** Name of the GPU of the webgpu backend. */
  readonly adapter?: string;
  /** Peak memory of the process in bytes. */
  readonly resident: number;
  /** Size of the backend's WebAssembly heap in bytes. */
  readonly heap?: number;
  /** GPU memory of the backend in bytes. */
  readonly device?: number;
}

/** Milliseconds of the official PyTorch code on two threads: its 1024³ matrix product, and an image with one or four groups. */
const OFFICIAL_PYTORCH = { product: 33, oneGroup: 19_000, fourGroups: 55_000 };

export const ENCODING = 'backbone and encoder, 800 × 1066, 81 + 19 texts';
export const decoding = (groups: number): string =>
  `decoders, ${groups} ${groups === 1 ? 'group' : 'groups'} of 100 pairs`;

const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Formats a table that compares the backends, and the time of an image compared with the official PyTorch code. */
export function formatReport(all: readonly BackendMeasurements[]): string {
  const first = all[0]!;
  const head = [
    '',
    ...all.map(({ backend, threads, adapter }) => `${backend}, ${adapter ?? `${threads} threads`}`),
    ...all.slice(1).map(({ backend }) => `${first.backend} : ${backend}`),
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const name of new Set(all.flatMap(({ measurements }) => measurements.map((measurement) => measurement.name)))) {
    const row = all.map(({ measurements }) => measurements.find((measurement) => measurement.name === name));
    const ratios = row.slice(1).map((other) => {
      const baseline = row[0];
      return baseline && other ? (baseline.milliseconds / other.milliseconds).toFixed(2) : '';
    });
    table.push([name, ...row.map((measurement) => (measurement ? cell(measurement) : '')), ...ratios]);
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
  if (speedup !== undefined) parts.push(`${speedup.toFixed(1)} times as fast as the reference`);
  else if (milliseconds !== unit) parts.push(`${Math.round(milliseconds / unit)} products`);
  if (share !== undefined) parts.push(`${Math.round(100 * share)} % of their rate`);
  if (first !== undefined) parts.push(`${seconds(first)} the first time`);
  return parts.join(', ');
}

/**
 * Compares the time of a whole image, with cached label vectors, with the official PyTorch code. Both are measured in units of
 * their own matrix product, so that different machines can be compared.
 */
function compareWithOfficial({ backend, measurements }: BackendMeasurements): string[] {
  const products = (name: string) => {
    const measurement = measurements.find((measured) => measured.name === name);
    return measurement && measurement.milliseconds / measurement.unit;
  };
  const lines = (
    [
      [1, OFFICIAL_PYTORCH.oneGroup],
      [4, OFFICIAL_PYTORCH.fourGroups],
    ] as const
  ).flatMap(([groups, official]) => {
    const [encoding, decoders] = [products(ENCODING), products(decoding(groups))];
    if (encoding === undefined || decoders === undefined) return [];
    const ours = encoding + decoders;
    const other = official / OFFICIAL_PYTORCH.product;
    return `${groups} ${groups === 1 ? 'group' : 'groups'} in ${Math.round(ours)} matrix products of its own (official PyTorch: ${Math.round(other)}, ${(other / ours).toFixed(2)} times as many)`;
  });
  return lines.length > 0 ? [`${backend}, an image: ${lines.join('; ')}`] : [];
}
