// nGPT's residual update: out = L2(u), u = h + |alpha| * (L2(o) - h). One block walks over whole rows.

struct NormalizedForward {
    const float* h;         // [rows, columns]
    const void* o;          // T [rows, columns]
    const float* alpha;     // [columns]
    float* out;             // [rows, columns]
    void* cast;             // T [rows, columns]: out once more for the next matrix product, or null
    float* o_reciprocal;    // 1 / ||o||, [rows]
    float* u_reciprocal;    // 1 / ||u||, [rows]
    long long rows;
    int columns;
    int wide;
};

template <typename T, int W> __device__ __forceinline__ Floats<W> moved(
    const float* h, const void* o, const float* alpha, float o_reciprocal, long long start, int c) {
    Floats<W> u = load<W>(h + start + c);
    const Floats<W> x = load<W>((const T*)o + start + c), step = load<W>(alpha + c);
#pragma unroll
    for (int j = 0; j < W; j++) u.v[j] += fabsf(step.v[j]) * (x.v[j] * o_reciprocal - u.v[j]);
    return u;
}

template <typename T, int W> __device__ __forceinline__ void normalized_forward(const NormalizedForward& a) {
    for (long long row = blockIdx.x; row < a.rows; row += gridDim.x) {
        const long long start = row * a.columns;
        float squares = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> x = load<W>((const T*)a.o + start + c);
#pragma unroll
            for (int j = 0; j < W; j++) squares += x.v[j] * x.v[j];
        }
        const float o_reciprocal = reciprocal_norm(block_sum(squares));
        squares = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> u = moved<T, W>(a.h, a.o, a.alpha, o_reciprocal, start, c);
#pragma unroll
            for (int j = 0; j < W; j++) squares += u.v[j] * u.v[j];
        }
        const float u_reciprocal = reciprocal_norm(block_sum(squares));
        if (threadIdx.x == 0) {
            a.o_reciprocal[row] = o_reciprocal;
            a.u_reciprocal[row] = u_reciprocal;
        }
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            Floats<W> u = moved<T, W>(a.h, a.o, a.alpha, o_reciprocal, start, c);
#pragma unroll
            for (int j = 0; j < W; j++) u.v[j] *= u_reciprocal;
            store<W>(a.out + start + c, u);
            if (a.cast) store<W>((T*)a.cast + start + c, u);
        }
    }
}

KERNEL(normalized_forward, NormalizedForward)

struct NormalizedBackward {
    const float* gradient;          // of out, [rows, columns]; null for none
    const void* cast_gradient;      // of cast, T [rows, columns]; null for none
    const float* h;
    const void* o;                  // T
    const float* alpha;
    const float* o_reciprocal;
    const float* u_reciprocal;
    float* dh;                      // [rows, columns]
    void* dout;                     // of o, T [rows, columns]
    float* partial;                 // [gridDim.x, columns]: this block's sums for alpha
    long long rows;
    int columns;
    int wide;
    int shared;                     // the sums fit into shared memory
};

template <typename T, int W> __device__ __forceinline__ Floats<W> total_gradient(const NormalizedBackward& a, long long i) {
    Floats<W> g = {}, cast = {};
    if (a.gradient) g = load<W>(a.gradient + i);
    if (a.cast_gradient) cast = load<W>((const T*)a.cast_gradient + i);
#pragma unroll
    for (int j = 0; j < W; j++) g.v[j] += cast.v[j];
    return g;
}

template <typename T, int W> __device__ __forceinline__ void normalized_backward(const NormalizedBackward& a) {
    DYNAMIC_SHARED(shared);
    // A thread only touches its own channels' sums.
    float* partial = a.partial + (long long)blockIdx.x * a.columns;
    float* sums = a.shared ? shared : partial;
    const Floats<W> zero = {};
    for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) store<W>(sums + c, zero);
    for (long long row = blockIdx.x; row < a.rows; row += gridDim.x) {
        const long long start = row * a.columns;
        const float o_reciprocal = a.o_reciprocal[row], u_reciprocal = a.u_reciprocal[row];
        float dot = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> u = moved<T, W>(a.h, a.o, a.alpha, o_reciprocal, start, c);
            const Floats<W> g = total_gradient<T, W>(a, start + c);
#pragma unroll
            for (int j = 0; j < W; j++) dot += g.v[j] * u.v[j];
        }
        // du = (g - out (g . out)) / ||u||
        const float along = block_sum(dot) * u_reciprocal * u_reciprocal;
        float o_dot = 0;
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> u = moved<T, W>(a.h, a.o, a.alpha, o_reciprocal, start, c);
            const Floats<W> g = total_gradient<T, W>(a, start + c), h = load<W>(a.h + start + c);
            const Floats<W> x = load<W>((const T*)a.o + start + c), step = load<W>(a.alpha + c);
            Floats<W> sum = load<W>(sums + c), dh;
#pragma unroll
            for (int j = 0; j < W; j++) {
                const float du = u_reciprocal * (g.v[j] - u.v[j] * along), unit = x.v[j] * o_reciprocal;
                const float sign = step.v[j] > 0 ? 1.0f : step.v[j] < 0 ? -1.0f : 0.0f;
                sum.v[j] += sign * du * (unit - h.v[j]);
                dh.v[j] = (1.0f - fabsf(step.v[j])) * du;
                o_dot += fabsf(step.v[j]) * du * unit;
            }
            store<W>(sums + c, sum);
            store<W>(a.dh + start + c, dh);
        }
        // do = (d - unit (d . unit)) / ||o||, d = |alpha| du
        o_dot = block_sum(o_dot);
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) {
            const Floats<W> u = moved<T, W>(a.h, a.o, a.alpha, o_reciprocal, start, c);
            const Floats<W> g = total_gradient<T, W>(a, start + c);
            const Floats<W> x = load<W>((const T*)a.o + start + c), step = load<W>(a.alpha + c);
            Floats<W> d;
#pragma unroll
            for (int j = 0; j < W; j++) {
                const float du = u_reciprocal * (g.v[j] - u.v[j] * along);
                d.v[j] = o_reciprocal * (fabsf(step.v[j]) * du - x.v[j] * o_reciprocal * o_dot);
            }
            store<W>((T*)a.dout + start + c, d);
        }
    }
    if (a.shared)
        for (int c = threadIdx.x * W; c < a.columns; c += blockDim.x * W) store<W>(partial + c, load<W>(sums + c));
}

KERNEL(normalized_backward, NormalizedBackward)
