#!/usr/bin/env bash
# bash FOLDER/run.sh [OPTION]...: in a folder that `prepare.sh` made, says what the machine has and measures all rows of
# `npm run bench:gpu`, whose options are passed on; 15 minutes at most. Results are in FOLDER/out, or in $OUT: doctor.txt,
# table.txt, log.txt, and rows.json, which is complete after each row. With official values in FOLDER/parity, or in $PARITY, the
# models are compared with them first (`npm run parity`).
set -uo pipefail
FOLDER=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$FOLDER/out}
PARITY=${PARITY:-$FOLDER/parity}
NODE=$FOLDER/node
mkdir -p "$OUT"
# The driver's Vulkan, where it is not in the usual place.
NVIDIA=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
[ -e "$NVIDIA" ] && export VK_DRIVER_FILES=${VK_DRIVER_FILES:-$NVIDIA}
for lib in "$FOLDER"/app/node_modules/@tensorflow/tfjs-node/deps/nvidia/*/lib; do
  [ -d "$lib" ] && export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$lib
done
export TF_FORCE_GPU_ALLOW_GROWTH=true TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2} CUDA_CACHE_MAXSIZE=4294967296
cd "$FOLDER/app" || exit 1
relflow() { timeout "$1" "$NODE" --import tsx "${@:2}"; }

{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null || echo 'no nvidia-smi'
  "$NODE" -v; nproc; relflow 60 src/cli/main.ts doctor; } 2>&1 | tee "$OUT/doctor.txt"
FAILED=0
if [ -d "$PARITY" ]; then
  for backend in tensorflow webgpu; do
    grep -q "^ *$backend .*\(runs on\|ms\)" "$OUT/doctor.txt" || continue
    relflow 60 bench/parity/main.ts "$PARITY" --model tagger --backend $backend 2>&1 | tee "$OUT/parity-$backend.txt" | tail -3 || FAILED=1
  done
fi
relflow 720 bench/gpu.ts --json "$OUT/rows.json" --minutes 9 "$@" 2> >(tee "$OUT/log.txt" >&2) | tee "$OUT/table.txt" || FAILED=1
exit $FAILED
