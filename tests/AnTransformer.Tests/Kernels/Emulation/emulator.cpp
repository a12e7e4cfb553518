// Runs the CUDA kernels on the CPU, for tests of their results: every thread of a block is a coroutine, blocks run one after
// the other, and barriers hold as on a GPU. Threads run in ascending or descending order between barriers, so that a missing
// barrier shows as a difference. A barrier that some threads never reach, and a write behind shared memory, are errors.
#include <cmath>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>
#include <ucontext.h>

#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __align__(bytes) alignas(bytes)

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {

enum State { Ready, AtWarpBarrier, AtBlockBarrier, Done };

struct Fiber {
    ucontext_t start;
    jmp_buf at;
    State state;
    bool started;
    int shuffles;           // how many this thread has taken part in
    std::vector<char> stack;
};

typedef void (*Body)(const void* arguments);
struct Kernel { Body body; int arguments_size; };

static std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

struct Registration {
    Registration(const char* name, int size, Body body) { kernels()[name] = {body, size}; }
};

static std::vector<Fiber> fibers;
static jmp_buf scheduler;
static unsigned current;
static Body body;
static const void* arguments;
static float* shared;
// What the lanes of a warp show each other; two places, so that one barrier per shuffle is enough.
static double shown[32][2][32];

static void pause(State state) {
    Fiber& self = fibers[current];
    self.state = state;
    if (_setjmp(self.at) == 0) _longjmp(scheduler, 1);
}

static void run_fiber() {
    body(arguments);
    fibers[current].state = Done;
    _longjmp(scheduler, 1);
}

// Its own function, so that no local of the scheduler's loop lives across the jump.
static void __attribute__((noinline)) resume(unsigned index) {
    current = index;
    threadIdx = {index, 0, 0};
    Fiber& fiber = fibers[index];
    if (_setjmp(scheduler) != 0) return;
    if (fiber.started) _longjmp(fiber.at, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}

// Lets threads go on if all of them wait at this barrier; those that have returned do not count for a block's.
static bool release(unsigned first, unsigned count, State barrier) {
    bool any = false;
    for (unsigned i = first; i < first + count; i++) {
        if (fibers[i].state == barrier) any = true;
        else if (barrier != AtBlockBarrier || fibers[i].state != Done) return false;
    }
    for (unsigned i = first; i < first + count; i++)
        if (fibers[i].state == barrier) fibers[i].state = Ready;
    return any;
}

// As far ahead of other warps as barriers allow, so that a barrier missing between a read and the next write shows as well.
static void run_warp(unsigned first, bool descending) {
    do {
        for (unsigned i = 0; i < 32; i++) {
            const unsigned index = first + (descending ? 31 - i : i);
            if (fibers[index].state == Ready) resume(index);
        }
    } while (release(first, 32, AtWarpBarrier));
}

static bool run_block(bool descending) {
    const unsigned threads = blockDim.x;
    if (fibers.size() < threads) fibers.resize(threads);
    for (unsigned i = 0; i < threads; i++) {
        Fiber& fiber = fibers[i];
        fiber.stack.resize(1 << 17);
        fiber.state = Ready;
        fiber.started = false;
        fiber.shuffles = 0;
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = fiber.stack.data();
        fiber.start.uc_stack.ss_size = fiber.stack.size();
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, run_fiber, 0);
    }
    do {
        for (unsigned i = 0; i < threads; i += 32) run_warp(descending ? threads - 32 - i : i, descending);
    } while (release(0, threads, AtBlockBarrier));
    for (unsigned i = 0; i < threads; i++)
        if (fibers[i].state != Done) return false;
    return true;
}

template <typename T> static T shuffle_xor(T x, int lanes) {
    const unsigned self = current, warp = self / 32, lane = self % 32;
    const int place = fibers[self].shuffles++ % 2;
    shown[warp][place][lane] = x;
    pause(AtWarpBarrier);
    return (T)shown[warp][place][lane ^ lanes];
}

}  // namespace emulator

static inline void __syncthreads() { emulator::pause(emulator::AtBlockBarrier); }
static inline float __shfl_xor_sync(unsigned, float x, int lanes) { return emulator::shuffle_xor(x, lanes); }
static inline double __shfl_xor_sync(unsigned, double x, int lanes) { return emulator::shuffle_xor(x, lanes); }

template <typename To, typename From> static inline To bits(From x) {
    To result;
    std::memcpy(&result, &x, sizeof result);
    return result;
}

static inline float __uint_as_float(unsigned x) { return bits<float>(x); }
static inline unsigned __float_as_uint(float x) { return bits<unsigned>(x); }

#define REGISTER(name, Arguments, ...) \
    static emulator::Registration registered_##name(#name, sizeof(Arguments), [](const void* p) { \
        const Arguments& a = *(const Arguments*)p; \
        __VA_ARGS__; \
    });
#define KERNEL(name, Arguments) \
    REGISTER(name##_f32, Arguments, if (a.wide) name<float, 4>(a); else name<float, 1>(a)) \
    REGISTER(name##_bf16, Arguments, if (a.wide) name<bf16, 4>(a); else name<bf16, 1>(a))
#define TYPED_KERNEL(name, Arguments) \
    REGISTER(name##_f32, Arguments, name<float>(a)) \
    REGISTER(name##_bf16, Arguments, name<bf16>(a))
#define FP32_KERNEL(name, Arguments) REGISTER(name##_f32, Arguments, if (a.wide) name<4>(a); else name<1>(a))
#define PLAIN_KERNEL(name, Arguments) REGISTER(name##_f32, Arguments, name(a))
#define DYNAMIC_SHARED(name) float* name = emulator::shared

#include "kernels.cu"

// Returns null, or what went wrong.
extern "C" const char* emulate(
    const char* name, unsigned grid_x, unsigned grid_y, unsigned block, unsigned shared_bytes, const void* arguments, int size,
    int descending) {
    const auto kernel = emulator::kernels().find(name);
    if (kernel == emulator::kernels().end()) return "there is no such kernel";
    if (kernel->second.arguments_size != size) return "the structures of arguments differ in size";
    if (block % 32 != 0 || block == 0 || block > 512) return "the block is not of 1 to 16 whole warps";
    const unsigned canary = 0x7fc0beef;     // a NaN: shared memory starts undefined, too
    const unsigned words = shared_bytes / 4, guard = 64;
    float* memory = (float*)std::aligned_alloc(64, (words + guard + 15) / 16 * 64);
    emulator::shared = memory;
    emulator::body = kernel->second.body;
    emulator::arguments = arguments;
    gridDim = {grid_x, grid_y, 1};
    blockDim = {block, 1, 1};
    const char* problem = nullptr;
    for (unsigned y = 0; y < grid_y && !problem; y++) {
        for (unsigned x = 0; x < grid_x && !problem; x++) {
            for (unsigned i = 0; i < words + guard; i++) std::memcpy(memory + i, &canary, 4);
            blockIdx = {x, y, 0};
            if (!emulator::run_block(descending != 0)) problem = "a barrier was not reached by all threads";
            for (unsigned i = words; i < words + guard; i++)
                if (std::memcmp(memory + i, &canary, 4) != 0) problem = "a write behind shared memory";
        }
    }
    std::free(memory);
    return problem;
}
