// Put before every kernel source: storage types, vectors, reductions and the shape of an entry point. No include is needed, so
// that NVRTC compiles this wherever it is found. Everything is reduced and computed in fp32 (sums over buffers in fp64), in an
// order that depends on sizes only: there are no atomics, and a run gives the same bits twice.

// bf16 as its bits: NVRTC need not find cuda_bf16.h.
struct bf16 { unsigned short bits; };

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }

__device__ __forceinline__ void convert(float x, float& result) { result = x; }

// Round to nearest, ties to even; a NaN stays one.
__device__ __forceinline__ void convert(float x, bf16& result) {
    const unsigned u = __float_as_uint(x);
    const unsigned rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    result.bits = (unsigned short)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

// W neighbours that move in one instruction; p must be aligned to all of them.
template <typename T, int W> struct alignas(sizeof(T) * W) Pack { T v[W]; };
template <int W> struct Floats { float v[W]; };

template <int W, typename T> __device__ __forceinline__ Floats<W> load(const T* p) {
    const Pack<T, W> pack = *reinterpret_cast<const Pack<T, W>*>(p);
    Floats<W> result;
#pragma unroll
    for (int j = 0; j < W; j++) result.v[j] = to_float(pack.v[j]);
    return result;
}

template <int W, typename T> __device__ __forceinline__ void store(T* p, const Floats<W>& x) {
    Pack<T, W> pack;
#pragma unroll
    for (int j = 0; j < W; j++) convert(x.v[j], pack.v[j]);
    *reinterpret_cast<Pack<T, W>*>(p) = pack;
}

// All 32 lanes take part, and all get the same bits.
template <typename T> __device__ __forceinline__ T warp_sum(T x) {
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1) x += __shfl_xor_sync(0xffffffffu, x, offset);
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
    return x;
}

// All threads of a block of whole warps take part, and all get the same bits: every thread adds the warps' sums in order.
template <typename T> __device__ __forceinline__ T block_sum(T x) {
    __shared__ T sums[32];
    x = warp_sum(x);
    if (blockDim.x == 32) return x;
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
    __syncthreads();
    T total = 0;
    for (int warp = 0; warp < (int)blockDim.x / 32; warp++) total += sums[warp];
    __syncthreads();
    return total;
}

__device__ __forceinline__ float block_max(float x) {
    __shared__ float maxima[32];
    x = warp_max(x);
    if (blockDim.x == 32) return x;
    if (threadIdx.x % 32 == 0) maxima[threadIdx.x / 32] = x;
    __syncthreads();
    float greatest = maxima[0];
    for (int warp = 1; warp < (int)blockDim.x / 32; warp++) greatest = fmaxf(greatest, maxima[warp]);
    __syncthreads();
    return greatest;
}

// 1 / ||x|| from the sum of squares; a zero vector stays zero.
__device__ __forceinline__ float reciprocal_norm(float squares) { return 1.0f / fmaxf(sqrtf(squares), 1e-12f); }

// Brings a row that this block has just written into its space, 1: ||w|| <= 1, 2: ||w|| = 1; `squares` is the thread's
// part of ||w||^2.
template <int W> __device__ __forceinline__ void constrain_row(float* row, int columns, float squares, int constraint) {
    if (constraint == 0) return;
    const float norm = fmaxf(sqrtf(block_sum(squares)), constraint == 1 ? 1.0f : 1e-30f);
    if (norm == 1.0f) return;
    // A thread reads back what it wrote itself.
    for (int c = threadIdx.x * W; c < columns; c += blockDim.x * W) {
        Floats<W> w = load<W>(row + c);
#pragma unroll
        for (int j = 0; j < W; j++) w.v[j] /= norm;
        store<W>(row + c, w);
    }
}

// Entry points take one structure by value: the launching side fills in the same fields. A kernel is a template over the
// storage type T of activations, the width W of a vector (`wide` says that sizes and addresses allow four), both or neither.
#ifndef KERNEL
#define ENTRY(name, Arguments) extern "C" __global__ void __launch_bounds__(512) name(const Arguments a)
#define KERNEL(name, Arguments) \
    ENTRY(name##_f32, Arguments) { if (a.wide) name<float, 4>(a); else name<float, 1>(a); } \
    ENTRY(name##_bf16, Arguments) { if (a.wide) name<bf16, 4>(a); else name<bf16, 1>(a); }
#define TYPED_KERNEL(name, Arguments) \
    ENTRY(name##_f32, Arguments) { name<float>(a); } \
    ENTRY(name##_bf16, Arguments) { name<bf16>(a); }
#define FP32_KERNEL(name, Arguments) \
    ENTRY(name##_f32, Arguments) { if (a.wide) name<4>(a); else name<1>(a); }
#define PLAIN_KERNEL(name, Arguments) \
    ENTRY(name##_f32, Arguments) { name(a); }
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) float name[]
#endif
