// Residual interpolation: out = keep * h + update * x per channel, in fp32 over an update x of type T.
// A thread keeps its channels' factors in registers and walks down the rows.

struct ResidualForward {
    const float* h;         // [rows, columns]
    const void* x;          // T [rows, columns]
    const float* keep;      // [columns]
    const float* update;    // [columns]
    float* out;             // [rows, columns]
    void* cast;             // T [rows, columns]: out once more for the next matrix product, or null
    long long rows;
    int columns;
    int wide;
};

template <typename T, int W> __device__ __forceinline__ void residual_forward(const ResidualForward& a) {
    const long long c = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * W;
    if (c >= a.columns) return;
    const Floats<W> keep = load<W>(a.keep + c), update = load<W>(a.update + c);
    for (long long row = blockIdx.y; row < a.rows; row += gridDim.y) {
        const long long i = row * a.columns + c;
        Floats<W> h = load<W>(a.h + i);
        const Floats<W> x = load<W>((const T*)a.x + i);
#pragma unroll
        for (int j = 0; j < W; j++) h.v[j] = keep.v[j] * h.v[j] + update.v[j] * x.v[j];
        store<W>(a.out + i, h);
        if (a.cast) store<W>((T*)a.cast + i, h);
    }
}

KERNEL(residual_forward, ResidualForward)

struct ResidualBackward {
    const float* gradient;          // of out, [rows, columns]; null for none
    const void* cast_gradient;      // of cast, T [rows, columns]; null for none
    const float* h;
    const void* x;                  // T
    const float* keep;
    const float* update;
    float* dh;                      // [rows, columns]
    void* dx;                       // T [rows, columns]
    float* partial;                 // [gridDim.y, 2, columns]: this block's sums for keep and update
    long long rows;
    int columns;
    int wide;
};

template <typename T, int W> __device__ __forceinline__ void residual_backward(const ResidualBackward& a) {
    const long long c = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * W;
    if (c >= a.columns) return;
    const Floats<W> keep = load<W>(a.keep + c), update = load<W>(a.update + c);
    Floats<W> keep_sum = {}, update_sum = {};
    for (long long row = blockIdx.y; row < a.rows; row += gridDim.y) {
        const long long i = row * a.columns + c;
        Floats<W> g = {}, cast = {}, dh, dx;
        if (a.gradient) g = load<W>(a.gradient + i);
        if (a.cast_gradient) cast = load<W>((const T*)a.cast_gradient + i);
        const Floats<W> h = load<W>(a.h + i), x = load<W>((const T*)a.x + i);
#pragma unroll
        for (int j = 0; j < W; j++) {
            const float total = g.v[j] + cast.v[j];
            dh.v[j] = keep.v[j] * total;
            dx.v[j] = update.v[j] * total;
            keep_sum.v[j] += total * h.v[j];
            update_sum.v[j] += total * x.v[j];
        }
        store<W>(a.dh + i, dh);
        store<W>((T*)a.dx + i, dx);
    }
    float* partial = a.partial + (long long)blockIdx.y * 2 * a.columns + c;
    store<W>(partial, keep_sum);
    store<W>(partial + a.columns, update_sum);
}

KERNEL(residual_backward, ResidualBackward)
