// Queries, keys and values of every head from one matrix product [tokens, 3 d]: norm, rotary positions and the head layout in
// one pass. A warp takes one head of one token; lane i turns channels i and i + head_size / 2 (rotate-half). Since a rotation
// keeps the norm, both norms are of the raw vector: rms is RoPE(gain * x r), l2 is gain * RoPE(x r), and no norm is the latter
// with r = 1.

enum { NO_NORM = 0, RMS_NORM = 1, L2_NORM = 2 };

struct QueryKeyForward {
    const void* qkv;                // T [batch * length, 3 * heads * head_size]: queries, keys, values
    const float* query_gain;        // rms: [head_size]; else [heads, head_size]; null for ones
    const float* key_gain;
    const float* cosine;            // [length, head_size / 2], from the first token's position on
    const float* sine;
    void* q;                        // T [batch, heads, length, head_size]
    void* k;
    void* v;
    float* query_reciprocal;        // the reciprocal norms, [batch * length, heads]; unused without norm
    float* key_reciprocal;
    long long tokens;               // batch * length
    int length;
    int heads;
    int head_size;
    int mode;
    int gain_stride;                // from one head's gain to the next: 0 or head_size
    float epsilon;                  // rms
    float query_factor;             // what queries are multiplied by in the end
};

template <typename T> __device__ __forceinline__ void turn(
    const QueryKeyForward& a, const T* x, T* y, const float* gain, float* reciprocal, long long position, float factor) {
    const int lane = threadIdx.x % 32, half = a.head_size / 2;
    float r = 1;
    if (a.mode != NO_NORM) {
        float squares = 0;
        for (int i = lane; i < a.head_size; i += 32) squares += to_float(x[i]) * to_float(x[i]);
        squares = warp_sum(squares);
        r = a.mode == RMS_NORM ? 1.0f / sqrtf(squares / a.head_size + a.epsilon) : reciprocal_norm(squares);
        if (lane == 0) *reciprocal = r;
    }
    for (int i = lane; i < half; i += 32) {
        const float cosine = a.cosine[position * half + i], sine = a.sine[position * half + i];
        const float first_gain = gain ? gain[i] : 1.0f, second_gain = gain ? gain[i + half] : 1.0f;
        float first = to_float(x[i]) * r, second = to_float(x[i + half]) * r;
        if (a.mode == RMS_NORM) {
            first *= first_gain;
            second *= second_gain;
        }
        float turned_first = first * cosine - second * sine, turned_second = second * cosine + first * sine;
        if (a.mode != RMS_NORM) {
            turned_first *= first_gain;
            turned_second *= second_gain;
        }
        convert(turned_first * factor, y[i]);
        convert(turned_second * factor, y[i + half]);
    }
}

template <typename T> __device__ __forceinline__ void query_key_forward(const QueryKeyForward& a) {
    const int warps = blockDim.x / 32, head = blockIdx.y;
    const long long width = (long long)a.heads * a.head_size;
    for (long long n = (long long)blockIdx.x * warps + threadIdx.x / 32; n < a.tokens; n += (long long)gridDim.x * warps) {
        const long long position = n % a.length;
        const T* x = (const T*)a.qkv + n * 3 * width + (long long)head * a.head_size;
        const long long out = ((n / a.length * a.heads + head) * a.length + position) * a.head_size;
        const long long norm = n * a.heads + head;
        const float* query_gain = a.query_gain ? a.query_gain + (long long)head * a.gain_stride : nullptr;
        const float* key_gain = a.key_gain ? a.key_gain + (long long)head * a.gain_stride : nullptr;
        turn(a, x, (T*)a.q + out, query_gain, a.query_reciprocal + norm, position, a.query_factor);
        turn(a, x + width, (T*)a.k + out, key_gain, a.key_reciprocal + norm, position, 1.0f);
        for (int i = threadIdx.x % 32; i < a.head_size; i += 32) ((T*)a.v)[out + i] = x[2 * width + i];
    }
}

TYPED_KERNEL(query_key_forward, QueryKeyForward)

struct Strides { long long batch, head, position; };

struct QueryKeyBackward {
    const void* dq;                 // T [batch, heads, length, head_size] in any order, head_size contiguous
    const void* dk;
    const void* dv;
    Strides dq_strides;
    Strides dk_strides;
    Strides dv_strides;
    const void* qkv;                // as in the forward pass
    const float* query_gain;
    const float* key_gain;
    const float* cosine;
    const float* sine;
    const float* query_reciprocal;
    const float* key_reciprocal;
    void* dqkv;                     // T [batch * length, 3 * heads * head_size]
    // The gains' sums: rms [gridDim.x, heads, 2, head_size], else [gridDim.x, 2, heads, head_size]; null for none.
    float* partial;
    long long tokens;
    int length;
    int heads;
    int head_size;
    int mode;
    int gain_stride;
    float query_factor;
};

// The gradients of x r's two channels of lane's pair i, after adding the gains' own to `sums`.
template <typename T> __device__ __forceinline__ Floats<2> turn_back(
    const QueryKeyBackward& a, const T* dy, Floats<2> unit, const float* gain, float* sums, int i, long long position,
    float factor) {
    const int half = a.head_size / 2;
    const float cosine = a.cosine[position * half + i], sine = a.sine[position * half + i];
    float first = to_float(dy[i]) * factor, second = to_float(dy[i + half]) * factor;
    if (a.mode != RMS_NORM && gain) {
        if (sums) {
            sums[i] += first * (unit.v[0] * cosine - unit.v[1] * sine);
            sums[i + half] += second * (unit.v[1] * cosine + unit.v[0] * sine);
        }
        first *= gain[i];
        second *= gain[i + half];
    }
    Floats<2> d = {{first * cosine + second * sine, second * cosine - first * sine}};
    if (a.mode == RMS_NORM && gain) {
        if (sums) {
            sums[i] += d.v[0] * unit.v[0];
            sums[i + half] += d.v[1] * unit.v[1];
        }
        d.v[0] *= gain[i];
        d.v[1] *= gain[i + half];
    }
    return d;
}

template <typename T> __device__ __forceinline__ void turn_back_row(
    const QueryKeyBackward& a, const T* dy, const T* x, T* dx, const float* gain, const float* reciprocal, float* sums,
    long long position, float factor) {
    const int lane = threadIdx.x % 32, half = a.head_size / 2;
    const float r = a.mode == NO_NORM ? 1.0f : *reciprocal;
    float dot = 0;
    if (a.mode != NO_NORM || sums) {
        for (int i = lane; i < half; i += 32) {
            const Floats<2> unit = {{to_float(x[i]) * r, to_float(x[i + half]) * r}};
            const Floats<2> d = turn_back(a, dy, unit, gain, sums, i, position, factor);
            dot += d.v[0] * unit.v[0] + d.v[1] * unit.v[1];
        }
        dot = a.mode == NO_NORM ? 0.0f : warp_sum(dot) / (a.mode == RMS_NORM ? a.head_size : 1);
    }
    for (int i = lane; i < half; i += 32) {
        const Floats<2> unit = {{to_float(x[i]) * r, to_float(x[i + half]) * r}};
        const Floats<2> d = turn_back(a, dy, unit, gain, nullptr, i, position, factor);
        convert(r * (d.v[0] - unit.v[0] * dot), dx[i]);
        convert(r * (d.v[1] - unit.v[1] * dot), dx[i + half]);
    }
}

template <typename T> __device__ __forceinline__ void query_key_backward(const QueryKeyBackward& a) {
    DYNAMIC_SHARED(shared);     // [warps, 2, head_size]: every warp's sums for the two gains of this block's head
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32, head = blockIdx.y;
    const long long width = (long long)a.heads * a.head_size;
    float* sums = shared + warp * 2 * a.head_size;
    // A lane only touches its own channels' sums until the block adds them up.
    if (a.partial)
        for (int i = lane; i < a.head_size / 2; i += 32)
            sums[i] = sums[i + a.head_size / 2] = sums[i + a.head_size] = sums[i + a.head_size + a.head_size / 2] = 0;
    float* query_sums = a.partial ? sums : nullptr;
    float* key_sums = a.partial ? sums + a.head_size : nullptr;
    const float* query_gain = a.query_gain ? a.query_gain + (long long)head * a.gain_stride : nullptr;
    const float* key_gain = a.key_gain ? a.key_gain + (long long)head * a.gain_stride : nullptr;
    for (long long n = (long long)blockIdx.x * warps + warp; n < a.tokens; n += (long long)gridDim.x * warps) {
        const long long batch = n / a.length, position = n % a.length;
        const long long x = n * 3 * width + (long long)head * a.head_size, norm = n * a.heads + head;
        const T* qkv = (const T*)a.qkv + x;
        T* dqkv = (T*)a.dqkv + x;
        const Strides q = a.dq_strides, k = a.dk_strides, v = a.dv_strides;
        const T* dq = (const T*)a.dq + batch * q.batch + head * q.head + position * q.position;
        const T* dk = (const T*)a.dk + batch * k.batch + head * k.head + position * k.position;
        const T* dv = (const T*)a.dv + batch * v.batch + head * v.head + position * v.position;
        turn_back_row(a, dq, qkv, dqkv, query_gain, a.query_reciprocal + norm, query_sums, position, a.query_factor);
        turn_back_row(a, dk, qkv + width, dqkv + width, key_gain, a.key_reciprocal + norm, key_sums, position, 1.0f);
        for (int i = lane; i < a.head_size; i += 32) dqkv[2 * width + i] = dv[i];
    }
    if (!a.partial) return;
    __syncthreads();
    for (int i = threadIdx.x; i < 2 * a.head_size; i += blockDim.x) {
        float sum = 0;
        for (int other = 0; other < warps; other++) sum += shared[other * 2 * a.head_size + i];
        const int part = i / a.head_size, c = i % a.head_size;
        const long long row = a.mode == RMS_NORM
            ? ((long long)blockIdx.x * a.heads + head) * 2 + part
            : ((long long)blockIdx.x * 2 + part) * a.heads + head;
        a.partial[row * a.head_size + c] = sum;
    }
}

TYPED_KERNEL(query_key_backward, QueryKeyBackward)
