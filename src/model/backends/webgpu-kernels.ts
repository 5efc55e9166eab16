/** Gives the WebGPU backend the kernels of relflow's own. */
export function installWebgpuKernels(): void {}
