// What NVRTC knows by itself, for a syntax and code generation check with clang where neither CUDA's headers nor a GPU are.
struct uint3;
struct dim3;
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(threads) __attribute__((launch_bounds(threads)))
#define __align__(bytes) __attribute__((aligned(bytes)))
#include <__clang_cuda_builtin_vars.h>

__device__ __forceinline__ float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
__device__ __forceinline__ unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
__device__ float __shfl_xor_sync(unsigned mask, float x, int lanes);
__device__ double __shfl_xor_sync(unsigned mask, double x, int lanes);
extern "C" {
__device__ float expf(float);
__device__ float logf(float);
__device__ float sqrtf(float);
__device__ float fabsf(float);
__device__ float fmaxf(float, float);
__device__ float fminf(float, float);
__device__ double sqrt(double);
}
