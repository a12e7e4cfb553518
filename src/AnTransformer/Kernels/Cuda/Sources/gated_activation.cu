// The MLP's gated activation: m = factor * u * SiLU(slope * g), from [gate | up] as one matrix product gives them.

struct GatedForward {
    const void* gate_up;    // T [rows, 2 columns]
    void* out;              // T [rows, columns]
    long long rows;
    int columns;
    int wide;
    float factor;
    float slope;
};

template <typename T, int W> __device__ __forceinline__ void gated_forward(const GatedForward& a) {
    const long long c = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * W;
    if (c >= a.columns) return;
    for (long long row = blockIdx.y; row < a.rows; row += gridDim.y) {
        const T* gate = (const T*)a.gate_up + row * 2 * a.columns + c;
        const Floats<W> g = load<W>(gate), u = load<W>(gate + a.columns);
        Floats<W> m;
#pragma unroll
        for (int j = 0; j < W; j++) {
            const float z = a.slope * g.v[j];
            m.v[j] = a.factor * u.v[j] * z / (1.0f + expf(-z));
        }
        store<W>((T*)a.out + row * a.columns + c, m);
    }
}

KERNEL(gated_forward, GatedForward)

struct GatedBackward {
    const void* gradient;   // of m, T [rows, columns]
    const void* gate_up;    // T [rows, 2 columns]
    void* dgate_up;         // T [rows, 2 columns]
    long long rows;
    int columns;
    int wide;
    float factor;
    float slope;
};

template <typename T, int W> __device__ __forceinline__ void gated_backward(const GatedBackward& a) {
    const long long c = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * W;
    if (c >= a.columns) return;
    for (long long row = blockIdx.y; row < a.rows; row += gridDim.y) {
        const long long i = row * 2 * a.columns + c;
        const T* gate = (const T*)a.gate_up + i;
        const Floats<W> g = load<W>(gate), u = load<W>(gate + a.columns);
        const Floats<W> m = load<W>((const T*)a.gradient + row * a.columns + c);
        Floats<W> dgate, dup;
#pragma unroll
        for (int j = 0; j < W; j++) {
            const float z = a.slope * g.v[j], sigmoid = 1.0f / (1.0f + expf(-z)), scaled = a.factor * m.v[j];
            dup.v[j] = scaled * z * sigmoid;
            dgate.v[j] = scaled * u.v[j] * a.slope * sigmoid * (1.0f + z * (1.0f - sigmoid));
        }
        T* d = (T*)a.dgate_up + i;
        store<W>(d, dgate);
        store<W>(d + a.columns, dup);
    }
}

KERNEL(gated_backward, GatedBackward)
