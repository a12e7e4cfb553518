// Times a training step of llm.c on the CPU at the size of docs/performance.md. In a clone of llm.c: copy this file there, then
// cc -Ofast -fno-finite-math-only -march=native -fopenmp step.c -o step -lm -lgomp && OMP_NUM_THREADS=2 ./step
#define TESTING
#include "train_gpt2.c"
int main(void) {
    int B = 16, T = 256, L = 6, C = 256, NH = 4, V = 4096;
    int header[256] = {20240326, 3, T, V, L, NH, C, V};
    long n = (long)V * C + (long)T * C + L * (12L * C * C + 13L * C) + 2L * C;
    FILE *f = fopen("model.bin", "wb");
    fwrite(header, sizeof(int), 256, f);
    unsigned s = 1;
    for (long i = 0; i < n; i++) { s = s * 1664525u + 1013904223u; float x = ((s >> 8) / 16777216.0f - 0.5f) * 0.08f; fwrite(&x, 4, 1, f); }
    fclose(f);
    GPT2 model;
    gpt2_build_from_checkpoint(&model, "model.bin");
    int *x = malloc(B * T * 4), *y = malloc(B * T * 4);
    for (int i = 0; i < B * T; i++) { s = s * 1664525u + 1013904223u; x[i] = (s >> 8) % V; y[i] = (s >> 12) % V; }
    for (int step = 0; step < 7; step++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        gpt2_forward(&model, x, y, B, T); gpt2_zero_grad(&model); gpt2_backward(&model);
        gpt2_update(&model, 1e-4f, 0.9f, 0.999f, 1e-8f, 0.0f, step + 1);
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("step %d: loss %f, %.0f ms\n", step, model.mean_loss, (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6);
    }
    return 0;
}
