// out[c] = sum over rows of partial[row, c], always in the same order: the second half of every gradient of a channel.

struct ColumnSum {
    const float* partial;   // [rows, columns]
    float* out;             // [columns]
    long long rows;
    int columns;
};

// A block of 16 warps takes 32 columns; warp y adds rows y, y + 16, ...
__device__ __forceinline__ void column_sum(const ColumnSum& a) {
    __shared__ float sums[16][32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const long long c = (long long)blockIdx.x * 32 + lane;
    float sum = 0;
    if (c < a.columns)
        for (long long row = warp; row < a.rows; row += 16) sum += a.partial[row * a.columns + c];
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp != 0 || c >= a.columns) return;
    for (int other = 1; other < 16; other++) sum += sums[other][lane];
    a.out[c] = sum;
}

PLAIN_KERNEL(column_sum, ColumnSum)
