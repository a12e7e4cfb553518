// Lion over the rows of an fp32 matrix, with the row constraint in the same pass.

struct LionUpdate {
    float* parameter;               // [size], rows of `columns` elements
    float* gradient;                // [size], zero afterwards
    float* momentum;                // [size]
    long long size;
    int columns;
    int wide;
    int constraint;                 // 0: none, 1: ||w|| <= 1, 2: ||w|| = 1
    float beta1, rest1;             // of the direction; rest = 1 - beta, rounded once
    float beta2, rest2;             // of the momentum
    float step_size;                // learning rate
    float decay;                    // 1 - learning rate * weight decay, or 1
    float gradient_factor;          // what gradients are multiplied by first
};

template <int W> __device__ __forceinline__ void lion_update(const LionUpdate& a) {
    for (long long row = blockIdx.x; row * a.columns < a.size; row += gridDim.x) {
        const long long start = row * a.columns;
        const int columns = a.size - start < a.columns ? (int)(a.size - start) : a.columns;
        float squares = 0;
        for (int c = threadIdx.x * W; c < columns; c += blockDim.x * W) {
            const long long i = start + c;
            Floats<W> w = load<W>(a.parameter + i), g = load<W>(a.gradient + i), m = load<W>(a.momentum + i);
#pragma unroll
            for (int j = 0; j < W; j++) {
                const float scaled = g.v[j] * a.gradient_factor;
                const float mixed = a.beta1 * m.v[j] + a.rest1 * scaled;
                m.v[j] = a.beta2 * m.v[j] + a.rest2 * scaled;
                const float sign = mixed > 0 ? 1.0f : mixed < 0 ? -1.0f : mixed;    // what is no number stays so
                w.v[j] = a.decay * w.v[j] - a.step_size * sign;
                squares += w.v[j] * w.v[j];
                g.v[j] = 0;
            }
            store<W>(a.parameter + i, w);
            store<W>(a.momentum + i, m);
            store<W>(a.gradient + i, g);
        }
        constrain_row<W>(a.parameter + start, columns, squares, a.constraint);
    }
}

FP32_KERNEL(lion_update, LionUpdate)
