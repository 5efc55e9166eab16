#!/usr/bin/env bash
# bash bench/gpu/prepare.sh FOLDER [gpu|cpu|none]: makes a folder with all that measuring relflow on a GPU needs, so that
# `bash FOLDER/run.sh` runs there or, after the folder was copied, on a machine without a network: Node.js, relflow, both backends.
#
# gpu: TensorFlow's library for NVIDIA GPUs with CUDA and cuDNN, some 5 GB (default); cpu: its library for processors, to try
# the scripts; none: webgpu alone. Needs Linux on x86-64, a checkout after `npm ci`, Python 3 with pip, and a C++ compiler.
# What is there already is not made again: after a failure, call it once more.
set -euo pipefail
FOLDER=$(mkdir -p "${1:?bash bench/gpu/prepare.sh FOLDER [gpu|cpu|none]}" && cd "$1" && pwd)
KIND=${2:-gpu}
case $KIND in gpu | cpu | none) ;; *) echo "prepare.sh: '$KIND', expected gpu, cpu or none" >&2; exit 2 ;; esac
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TENSORFLOW=2.21.0
TFJS=4.22.0
APP=$FOLDER/app
MODULES=$APP/node_modules
step() { echo "$(date +%T) $*"; }

step 'relflow and its packages'
mkdir -p "$MODULES" "$FOLDER/build"
(cd "$ROOT" && tar -cf - package.json tsconfig.json src bench schemas scripts pipelines) | tar -C "$APP" -xf -
# Packages that build and check relflow are left out.
[ -e "$MODULES/.complete" ] || {
  (cd "$ROOT/node_modules" && tar -cf - --exclude=./binaryen --exclude=./assemblyscript --exclude=./@biomejs --exclude=./typescript \
    --exclude=./@typescript --exclude=./playwright-core --exclude=./@cspell --exclude=./.cache .) | tar -C "$MODULES" -xf -
  touch "$MODULES/.complete"
}

step 'packages of the backends'
PACKAGES="webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@$TFJS"
[ "$KIND" = none ] || PACKAGES="$PACKAGES @tensorflow/tfjs-node@$TFJS"
[ -e "$FOLDER/build/packages-$KIND" ] || {
  # In a folder of their own: npm would remove what package.json does not name.
  mkdir -p "$FOLDER/build/npm"
  echo '{ "private": true }' > "$FOLDER/build/npm/package.json"
  # shellcheck disable=SC2086
  (cd "$FOLDER/build/npm" && npm install --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel=error $PACKAGES)
  # What relflow has itself is kept: both sides must use one @tensorflow/tfjs-core.
  cp -rn "$FOLDER/build/npm/node_modules/." "$MODULES/"
  touch "$FOLDER/build/packages-$KIND"
}

if [ "$KIND" != none ]; then
  step "TensorFlow $TENSORFLOW"
  P=$MODULES/@tensorflow/tfjs-node
  NAME=tensorflow$([ "$KIND" = gpu ] || echo -cpu)
  fetch() { python3 -m pip download -q --no-deps --only-binary=:all: --implementation cp --python-version 3.12 \
    --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d "$FOLDER/build" "$@"; }
  [ -e "$P/deps/lib/.$NAME" ] || {
    fetch "$NAME==$TENSORFLOW"
    rm -rf "$P/deps" && mkdir -p "$P/deps/lib"
    unzip -qo "$FOLDER/build/${NAME//-/_}"-$TENSORFLOW-*.whl 'tensorflow/libtensorflow_*.so.2' 'tensorflow/include/tensorflow/c/*' \
      'tensorflow/include/tensorflow/core/platform/ctstring*' 'tensorflow/include/tsl/platform/ctstring*' \
      'tensorflow/include/xla/tsl/c/*' '*.dist-info/METADATA' -d "$P/deps/wheel"
    mv "$P/deps/wheel/tensorflow/include" "$P/deps/"
    mv "$P"/deps/wheel/tensorflow/lib*.so.2 "$P/deps/lib"
    for l in cc framework; do strip -s "$P/deps/lib/libtensorflow_$l.so.2"; done
    ln -sf libtensorflow_cc.so.2 "$P/deps/lib/libtensorflow.so"
    ln -sf libtensorflow_framework.so.2 "$P/deps/lib/libtensorflow_framework.so"
    touch "$P/deps/lib/.$NAME"
  }
  if [ "$KIND" = gpu ] && [ ! -e "$P/deps/nvidia/.complete" ]; then
    step 'CUDA and cuDNN, as the wheel names them'
    # shellcheck disable=SC2046
    fetch $(sed -n 's/^Requires-Dist: \(nvidia-[^;]*\);.*and-cuda.*/\1/p' "$P"/deps/wheel/*.dist-info/METADATA | tr -d ' ()')
    for wheel in "$FOLDER"/build/nvidia_*.whl; do
      # XLA takes its compiler; other wheels lack that folder, of which unzip warns.
      unzip -qo "$wheel" 'nvidia/*/lib/*' 'nvidia/cuda_nvcc/*' -d "$P/deps" 2> /dev/null || [ $? = 11 ]
    done
    touch "$P/deps/nvidia/.complete"
  fi
  step 'the binding'
  [ -e "$P/lib/napi-v8/tfjs_binding.node" ] || {
    HEADERS=$([ -e /usr/include/node/node_api.h ] && echo --nodedir=/usr || true)
    # shellcheck disable=SC2086
    (cd "$P" && node "$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js" rebuild $HEADERS \
      --module_name=tfjs_binding --module_path="$P/lib/napi-v8" --napi_build_version=8 > "$FOLDER/build/node-gyp.log" 2>&1) ||
      { tail -30 "$FOLDER/build/node-gyp.log" >&2; exit 1; }
  }
fi
cp "$(readlink -f "$(command -v node)")" "$FOLDER/node"
cp "$ROOT/bench/gpu/run.sh" "$FOLDER/"
step "$FOLDER is complete, $(du -sh --exclude=build "$FOLDER" | cut -f1) without build; next: bash $FOLDER/run.sh"
