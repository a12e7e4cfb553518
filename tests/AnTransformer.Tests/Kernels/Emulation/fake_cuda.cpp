// Stands in for CUDA's driver and for NVRTC, with their exported names and types (cuda.h, nvrtc.h): "compiled" code is the
// source after a mark, and a launch runs the emulator. A driver of one device with a primary context that no thread has at
// first.
#include "emulator.cpp"

#include <cstdio>

static int capability = 90, compilations = 0, context;
static thread_local void* current_context;
static std::string compiled;
static const char* const mark = "CODE ";
static const int invalid_value = 1, no_device = 101, invalid_image = 200, invalid_context = 201, not_found = 500;

extern "C" {

void fake_set_capability(int value) { capability = value; }
int fake_compilations() { return compilations; }

int cuInit(unsigned flags) { return flags == 0 ? 0 : invalid_value; }
int cuGetErrorString(int error, const char** text) {
    *text = error == no_device ? "no such device" : error == invalid_image ? "no image" : "an error";
    return 0;
}
int cuDeviceGet(int* device, int ordinal) {
    *device = 40 + ordinal;
    return ordinal == 0 ? 0 : no_device;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
    if (device != 40) return invalid_value;
    switch (attribute) {
        case 16: *value = 2; return 0;                  // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
        case 75: *value = capability / 10; return 0;    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
        case 76: *value = capability % 10; return 0;    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
        default: return invalid_value;
    }
}
int cuDevicePrimaryCtxRetain(void** result, int device) {
    *result = &context;
    return device == 40 ? 0 : invalid_value;
}
int cuCtxGetCurrent(void** result) { return *result = current_context, 0; }
int cuCtxSetCurrent(void* value) { return current_context = value, 0; }
int cuModuleLoadData(void** module, const void* image) {
    if (current_context != &context) return invalid_context;
    if (std::strncmp((const char*)image, mark, std::strlen(mark)) != 0) return invalid_image;
    return *module = &compiled, 0;
}
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** function, void* module, const char* name) {
    const auto kernel = emulator::kernels().find(name);
    if (module != &compiled || kernel == emulator::kernels().end()) return not_found;
    return *function = (void*)kernel->first.c_str(), 0;
}
int cuLaunchKernel(
    void* function, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
    void* stream, void** parameters, void** extra) {
    if (current_context != &context) return invalid_context;
    if (z != 1 || block_y != 1 || block_z != 1 || stream || extra) return invalid_value;
    const char* name = (const char*)function;
    const int size = emulator::kernels()[name].arguments_size;
    return emulate(name, x, y, block_x, shared_bytes, parameters[0], size, 0) == nullptr ? 0 : invalid_value;
}

struct Program { std::string source, code; };

int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 8, 0; }
int nvrtcGetNumSupportedArchs(int* number) { return *number = 2, 0; }
int nvrtcGetSupportedArchs(int* known) { return known[0] = 80, known[1] = 90, 0; }
int nvrtcCreateProgram(
    Program** program, const char* source, const char*, int headers, const char* const*, const char* const*) {
    *program = new Program{source, ""};
    return headers == 0 ? 0 : 1;
}
int nvrtcCompileProgram(Program* program, int options, const char* const* option) {
    compilations++;
    if (options != 2 || std::strcmp(option[1], "--std=c++17") != 0) return 5;
    program->code = mark + std::string(option[0]) + "\n" + program->source;
    return std::strstr(option[0], "=sm_35") ? 6 : 0;
}
int nvrtcDestroyProgram(Program** program) { return delete *program, *program = nullptr, 0; }
int nvrtcGetProgramLogSize(Program*, size_t* size) { return *size = sizeof "line 1: wrong", 0; }
int nvrtcGetProgramLog(Program*, char* log) { return std::strcpy(log, "line 1: wrong"), 0; }
int nvrtcGetPTXSize(Program* program, size_t* size) { return *size = program->code.size() + 1, 0; }
int nvrtcGetPTX(Program* program, char* code) { return std::strcpy(code, program->code.c_str()), 0; }
int nvrtcGetCUBINSize(Program* program, size_t* size) { return *size = program->code.size(), 0; }
int nvrtcGetCUBIN(Program* program, char* code) { return std::memcpy(code, program->code.data(), program->code.size()), 0; }

}
