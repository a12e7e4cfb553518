// Adam and AdamW over the rows of an fp32 matrix, with the row constraint in the same pass, and the squared norm of a buffer.

struct AdamUpdate {
    float* parameter;               // [size], rows of `columns` elements
    float* gradient;                // [size]
    float* mean;                    // [size]
    float* square;                  // [size]
    const double* square_sum;       // of all gradients, [1], for clipping on the device; or null
    long long size;
    int columns;
    int wide;
    int constraint;                 // 0: none, 1: ||w|| <= 1, 2: ||w|| = 1
    int clear;                      // whether gradients are set to zero afterwards
    float rest1, beta2, rest2;      // rest = 1 - beta, rounded once
    float epsilon;
    float step_size;                // learning rate / (1 - beta1^t)
    float square_correction;        // sqrt(1 - beta2^t)
    float decay;                    // 1 - learning rate * weight decay, or 1
    float gradient_factor;          // what gradients are multiplied by first
    float max_norm;                 // clipping threshold of the norm after that factor; needs square_sum
};

template <int W> __device__ __forceinline__ void adam_update(const AdamUpdate& a) {
    float factor = a.gradient_factor;
    if (a.square_sum) factor *= fminf(1.0f, a.max_norm / ((float)sqrt(*a.square_sum) * fabsf(a.gradient_factor) + 1e-6f));
    for (long long row = blockIdx.x; row * a.columns < a.size; row += gridDim.x) {
        const long long start = row * a.columns;
        const int columns = a.size - start < a.columns ? (int)(a.size - start) : a.columns;
        float squares = 0;
        for (int c = threadIdx.x * W; c < columns; c += blockDim.x * W) {
            const long long i = start + c;
            Floats<W> w = load<W>(a.parameter + i), g = load<W>(a.gradient + i);
            Floats<W> m = load<W>(a.mean + i), v = load<W>(a.square + i);
#pragma unroll
            for (int j = 0; j < W; j++) {
                const float scaled = g.v[j] * factor;
                m.v[j] += a.rest1 * (scaled - m.v[j]);
                v.v[j] = a.beta2 * v.v[j] + a.rest2 * scaled * scaled;
                const float denominator = sqrtf(v.v[j]) / a.square_correction + a.epsilon;
                w.v[j] = a.decay * w.v[j] - a.step_size * m.v[j] / denominator;
                squares += w.v[j] * w.v[j];
                g.v[j] = 0;
            }
            store<W>(a.parameter + i, w);
            store<W>(a.mean + i, m);
            store<W>(a.square + i, v);
            if (a.clear) store<W>(a.gradient + i, g);
        }
        constrain_row<W>(a.parameter + start, columns, squares, a.constraint);
    }
}

FP32_KERNEL(adam_update, AdamUpdate)

struct SquareSum {
    const float* x;         // [size]
    double* partial;        // [gridDim.x]
    long long size;
    int wide;
};

// fp64: a billion squares of very different sizes add up, and one addition per element hides behind its load.
template <int W> __device__ __forceinline__ void square_sum(const SquareSum& a) {
    double sum = 0;
    const long long stride = (long long)gridDim.x * blockDim.x * W;
    for (long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * W; i < a.size; i += stride) {
        const Floats<W> x = load<W>(a.x + i);
#pragma unroll
        for (int j = 0; j < W; j++) sum += (double)x.v[j] * x.v[j];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) a.partial[blockIdx.x] = sum;
}

FP32_KERNEL(square_sum, SquareSum)

struct PartialTotal {
    const double* partial;  // [size]
    double* out;            // [1]
    long long size;
};

__device__ __forceinline__ void partial_total(const PartialTotal& a) {
    double sum = 0;
    for (long long i = threadIdx.x; i < a.size; i += blockDim.x) sum += a.partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *a.out = sum;
}

PLAIN_KERNEL(partial_total, PartialTotal)
