// Cross-entropy of rows of logits and, in their place, its gradient: (softmax - onehot) * scale.
// One block of two warps or more per row: one pass for the running maximum and sum, a second one that writes. Rows of any
// length are read in vectors from their first aligned element on.

struct CrossEntropy {
    void* logits;               // T [rows, columns]; replaced by the gradient where that is wanted
    const long long* targets;   // [rows]; -100: no loss and no gradient; any other id outside [0, columns): NaN
    float* loss;                // [rows], nats
    long long rows;
    int columns;
    int gradient;               // whether the logits are replaced
    float scale;
};

// Calls f(column, value) for a row's elements, and replaces them by what it returns where Write is set.
template <bool Write, typename T, typename F> __device__ __forceinline__ void visit(T* row, int columns, const F& f) {
    constexpr int W = 16 / sizeof(T);
    int head = (int)((W - (unsigned long long)row / sizeof(T) % W) % W);
    if (head > columns) head = columns;
    const int vectors = (columns - head) / W, tail = head + vectors * W;
    // The elements before the first vector and after the last are fewer than two vectors: one thread each.
    const int odd = head + columns - tail;
    for (int i = threadIdx.x; i < odd; i += blockDim.x) {
        const int c = i < head ? i : tail + i - head;
        const float value = f(c, to_float(row[c]));
        if (Write) convert(value, row[c]);
    }
    for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
        const int c = head + i * W;
        Floats<W> x = load<W>(row + c);
#pragma unroll
        for (int j = 0; j < W; j++) x.v[j] = f(c + j, x.v[j]);
        if (Write) store<W>(row + c, x);
    }
}

template <typename T> __device__ __forceinline__ void cross_entropy(const CrossEntropy& a) {
    for (long long n = blockIdx.x; n < a.rows; n += gridDim.x) {
        T* row = (T*)a.logits + n * a.columns;
        const long long target = a.targets[n];
        const bool ignored = target == -100, known = target >= 0 && target < a.columns;
        // Read before the reductions' barriers, since some thread replaces it behind them.
        const float of_target = known ? to_float(row[target]) : 0.0f;
        // Not minus infinity, so that a logit of minus infinity has probability 0 rather than NaN.
        float greatest = -3.4028234e38f, sum = 0;
        visit<false>(row, a.columns, [&](int, float x) {
            if (x > greatest) {
                sum = sum * expf(greatest - x) + 1.0f;
                greatest = x;
            } else {
                sum += expf(x - greatest);
            }
            return x;
        });
        const float maximum = block_max(greatest);
        const float total = block_sum(sum * expf(greatest - maximum));
        const float undefined = __uint_as_float(0x7fc00000u);
        if (threadIdx.x == 0)
            a.loss[n] = known ? logf(total) + maximum - of_target : ignored ? 0.0f : undefined;
        if (!a.gradient) continue;
        const float factor = ignored ? 0.0f : known ? a.scale : undefined;
        visit<true>(row, a.columns, [&](int c, float x) {
            return ignored ? 0.0f : (expf(x - maximum) / total - (c == target ? 1.0f : 0.0f)) * factor;
        });
    }
}

TYPED_KERNEL(cross_entropy, CrossEntropy)
