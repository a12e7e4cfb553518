// RMSNorm with gain, fused with the residual sum before it: s = h + x, n = gain * s / sqrt(mean(s^2) + epsilon).
// One block walks over whole rows; a row is read twice, the second time from the cache.

struct RmsNormForward {
    const float* h;         // [rows, columns]
    const void* x;          // T [rows, columns], or null: then s is h
    const float* gain;      // [columns]
    float* sum;             // s, [rows, columns]; null where x is
    void* normalized;       // n, T [rows, columns]
    float* reciprocal;      // 1 / sqrt(mean(s^2) + epsilon), [rows]
    long long rows;
    int columns;
    int wide;
    float epsilon;
};

template <typename T, int W> __device__ __forceinline__ Floats<W> residual_sum(const RmsNormForward& a, long long i) {
    Floats<W> s = load<W>(a.h + i);
    if (a.x) {
        const Floats<W> x = load<W>((const T*)a.x + i);
#pragma unroll
        for (int j = 0; j < W; j++) s.v[j] += x.v[j];
    }
    return s;
}

template <typename T, int W> __device__ __forceinline__ void rms_norm_forward(const RmsNormForward& a) {
    for (long long row = blockIdx.x; row < a.rows; row += gridDim.x) {
        const long long start = row * a.columns;
        float squares = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> s = residual_sum<T, W>(a, start + c);
#pragma unroll
            for (int j = 0; j < W; j++) squares += s.v[j] * s.v[j];
            if (a.sum) store<W>(a.sum + start + c, s);
        }
        const float reciprocal = 1.0f / sqrtf(block_sum(squares) / a.columns + a.epsilon);
        if (threadIdx.x == 0) a.reciprocal[row] = reciprocal;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            Floats<W> s = residual_sum<T, W>(a, start + c);
            const Floats<W> gain = load<W>(a.gain + c);
#pragma unroll
            for (int j = 0; j < W; j++) s.v[j] *= reciprocal * gain.v[j];
            store<W>((T*)a.normalized + start + c, s);
        }
    }
}

KERNEL(rms_norm_forward, RmsNormForward)

struct RmsNormBackward {
    const void* gradient;           // of n, T [rows, columns]
    const float* sum_gradient;      // of s from elsewhere, [rows, columns], or null
    const float* sum;               // s
    const float* gain;
    const float* reciprocal;
    float* dsum;                    // [rows, columns]: the gradient of h
    void* dx;                       // T [rows, columns]: the same as the gradient of x, or null
    float* partial;                 // [gridDim.x, columns]: this block's sums for the gain
    long long rows;
    int columns;
    int wide;
    int shared;                     // the sums fit into shared memory
};

template <typename T, int W> __device__ __forceinline__ void rms_norm_backward(const RmsNormBackward& a) {
    DYNAMIC_SHARED(shared);
    // A thread only touches its own channels' sums.
    float* partial = a.partial + (long long)blockIdx.x * a.columns;
    float* sums = a.shared ? shared : partial;
    const Floats<W> zero = {};
    for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) store<W>(sums + c, zero);
    for (long long row = blockIdx.x; row < a.rows; row += gridDim.x) {
        const long long start = row * a.columns;
        const float reciprocal = a.reciprocal[row];
        float dot = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> g = load<W>((const T*)a.gradient + start + c), s = load<W>(a.sum + start + c);
            const Floats<W> gain = load<W>(a.gain + c);
            Floats<W> sum = load<W>(sums + c);
#pragma unroll
            for (int j = 0; j < W; j++) {
                dot += g.v[j] * gain.v[j] * s.v[j];
                sum.v[j] += g.v[j] * s.v[j] * reciprocal;
            }
            store<W>(sums + c, sum);
        }
        // dh = r (gain g - s r^2 mean(gain g s))
        const float along = block_sum(dot) / a.columns * reciprocal * reciprocal;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> g = load<W>((const T*)a.gradient + start + c), s = load<W>(a.sum + start + c);
            const Floats<W> gain = load<W>(a.gain + c);
            Floats<W> d = {};
            if (a.sum_gradient) d = load<W>(a.sum_gradient + start + c);
#pragma unroll
            for (int j = 0; j < W; j++) d.v[j] += reciprocal * (g.v[j] * gain.v[j] - s.v[j] * along);
            store<W>(a.dsum + start + c, d);
            if (a.dx) store<W>((T*)a.dx + start + c, d);
        }
    }
    if (a.shared)
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) store<W>(partial + c, load<W>(sums + c));
}

KERNEL(rms_norm_backward, RmsNormBackward)
