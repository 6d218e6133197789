/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A libcuda without a device, for tests of the runtime and of kernels. Device
 * memory is host memory whose bounds every copy is checked against. Kernels do
 * nothing, unless FAKE_CUDA_KERNELS names a library made by emulate.py: then
 * they run, block after block, each thread of a block on a stack of its own
 * that gives way at barriers and shuffles.
 *
 *   FAKE_CUDA_KERNELS=FILE   host code of the kernels
 *   FAKE_CUDA_LOG=FILE       gets one line per call
 *   FAKE_CUDA_FAIL=NAME:N:E  the N-th call of NAME (from 1) returns E
 *   FAKE_CUDA_CHIP=90        compute capability, times ten
 *   FAKE_CUDA_DEVICES=1      how many there are
 *   FAKE_CUDA_REVERSE=1      runs blocks, warps and threads from the last to
 * the first: without a race nothing changes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define API __attribute__((visibility("default")))
typedef int32_t CUresult;
typedef uint64_t CUdeviceptr;

enum {
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_CONTEXT = 201,
  NOT_FOUND = 500,
  GUARD = 256, /* bytes after every allocation that nobody may write */
  GUARD_BYTE = 0xa5
};

/* --- What every call does ------------------------------------------------- */

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

/* Logs a call; returns the error that it shall fail with, or 0. */
static CUresult enter(const char *name, const char *details) {
  static FILE *log;
  static int failures_left = -1;
  const char *path = setting("FAKE_CUDA_LOG", NULL);
  const char *fail = setting("FAKE_CUDA_FAIL", NULL);
  size_t length = strlen(name);
  if (path && !log)
    log = fopen(path, "a");
  if (log) {
    fprintf(log, "%s%s%s\n", name, *details ? " " : "", details);
    fflush(log);
  }
  if (fail && !strncmp(fail, name, length) && fail[length] == ':') {
    int number = 0, error = 0;
    sscanf(fail + length + 1, "%d:%d", &number, &error);
    if (failures_left < 0)
      failures_left = number;
    if (--failures_left == 0)
      return error;
  }
  return 0;
}

static bool initialized;
static int num_current, num_retained;

#define ENTER(details)                                                         \
  do {                                                                         \
    CUresult error_ = enter(__func__, details);                                \
    if (error_)                                                                \
      return error_;                                                           \
    if (!initialized)                                                          \
      return NOT_INITIALIZED;                                                  \
  } while (0)
#define ENTER_CONTEXT(details)                                                 \
  do {                                                                         \
    ENTER(details);                                                            \
    if (!num_current)                                                          \
      return NO_CONTEXT;                                                       \
  } while (0)

/* --- Devices and contexts ---------------------------------------------------
 */

API CUresult cuInit(uint32_t flags) {
  CUresult error = enter(__func__, "");
  initialized = !error && !flags;
  return error;
}

API CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = error == OUT_OF_MEMORY ? "out of memory" : "an error";
  return 0;
}

API CUresult cuDeviceGetCount(int32_t *count) {
  ENTER("");
  *count = atoi(setting("FAKE_CUDA_DEVICES", "1"));
  return 0;
}

API CUresult cuDeviceGet(int32_t *device, int32_t ordinal) {
  ENTER("");
  *device = 100 + ordinal;
  return 0;
}

API CUresult cuDeviceGetAttribute(int32_t *value, int32_t attribute,
                                  int32_t device) {
  int chip = atoi(setting("FAKE_CUDA_CHIP", "80"));
  ENTER("");
  if (device < 100)
    return INVALID_VALUE;
  *value = attribute == 75 ? chip / 10 : attribute == 76 ? chip % 10 : 4;
  return 0;
}

API CUresult cuDevicePrimaryCtxRetain(void **context, int32_t device) {
  ENTER("");
  ++num_retained;
  *context = &num_retained;
  return device < 100 ? INVALID_VALUE : 0;
}

API CUresult cuDevicePrimaryCtxRelease_v2(int32_t device) {
  ENTER("");
  --num_retained;
  return device < 100 || num_retained < 0 ? INVALID_VALUE : 0;
}

API CUresult cuCtxPushCurrent_v2(void *context) {
  ENTER("");
  ++num_current;
  return context == &num_retained ? 0 : INVALID_VALUE;
}

API CUresult cuCtxPopCurrent_v2(void **context) {
  ENTER("");
  *context = &num_retained;
  return num_current-- > 0 ? 0 : INVALID_VALUE;
}

/* --- Memory ------------------------------------------------------------------
 */

typedef struct Block {
  struct Block *next;
  size_t bytes;
  char *data;
} Block;
static Block *blocks;

/* Whether all of a range is memory of the device. */
static bool isDevice(CUdeviceptr address, size_t bytes) {
  for (Block *block = blocks; block; block = block->next) {
    CUdeviceptr begin = (CUdeviceptr)(uintptr_t)block->data;
    if (address >= begin && address - begin <= block->bytes &&
        bytes <= block->bytes - (address - begin))
      return true;
  }
  return false;
}

API CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  char details[32];
  Block *block;
  snprintf(details, sizeof(details), "%zu", bytes);
  ENTER_CONTEXT(details);
  block = malloc(sizeof(*block));
  block->data = aligned_alloc(256, (bytes + GUARD + 255) / 256 * 256);
  block->bytes = bytes;
  memset(block->data, 0xff, bytes); /* NaNs, should anybody read them */
  memset(block->data + bytes, GUARD_BYTE, GUARD);
  block->next = blocks;
  blocks = block;
  *address = (CUdeviceptr)(uintptr_t)block->data;
  return bytes ? 0 : INVALID_VALUE;
}

API CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER_CONTEXT("");
  for (Block **at = &blocks; *at; at = &(*at)->next) {
    Block *block = *at;
    if ((CUdeviceptr)(uintptr_t)block->data != address)
      continue;
    for (size_t i = 0; i < GUARD; ++i)
      if ((unsigned char)block->data[block->bytes + i] != GUARD_BYTE) {
        fprintf(stderr, "fake cuda: a write behind %zu bytes\n", block->bytes);
        abort();
      }
    *at = block->next;
    free(block->data);
    free(block);
    return 0;
  }
  return INVALID_VALUE;
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from,
                                  size_t bytes, void *stream) {
  char details[32];
  snprintf(details, sizeof(details), "%zu", bytes);
  ENTER_CONTEXT(details);
  if (!stream || !isDevice(to, bytes))
    return INVALID_VALUE;
  memcpy((void *)(uintptr_t)to, from, bytes);
  return 0;
}

API CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes,
                                  void *stream) {
  char details[32];
  snprintf(details, sizeof(details), "%zu", bytes);
  ENTER_CONTEXT(details);
  if (!stream || !isDevice(from, bytes))
    return INVALID_VALUE;
  memcpy(to, (void *)(uintptr_t)from, bytes);
  return 0;
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from,
                                  size_t bytes, void *stream) {
  char details[32];
  snprintf(details, sizeof(details), "%zu", bytes);
  ENTER_CONTEXT(details);
  if (!stream || !isDevice(from, bytes) || !isDevice(to, bytes))
    return INVALID_VALUE;
  memmove((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes);
  return 0;
}

API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  return cuMemcpyHtoDAsync_v2(to, from, bytes, &blocks);
}

API CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  return cuMemcpyDtoHAsync_v2(to, from, bytes, &blocks);
}

API CUresult cuStreamCreate(void **stream, uint32_t flags) {
  (void)flags;
  ENTER_CONTEXT("");
  *stream = malloc(1);
  return 0;
}

API CUresult cuStreamDestroy_v2(void *stream) {
  ENTER_CONTEXT("");
  free(stream);
  return 0;
}

API CUresult cuStreamSynchronize(void *stream) {
  ENTER_CONTEXT("");
  return stream ? 0 : INVALID_VALUE;
}

/* --- Threads of a block
 * ------------------------------------------------------- */

enum { WARP = 32, MAX_THREADS = 1024, STACK_BYTES = 256 << 10 };
enum { RUNNING, AT_SHUFFLE, AT_BARRIER, DONE };

typedef struct Fiber {
  void *stack_pointer;
  char *stack;
  int state;
} Fiber;

static Fiber fibers[MAX_THREADS];
static int num_threads, current;
static bool reverse;
static uint32_t block_index, num_blocks;
static void *scheduler_stack;
static void (*kernel_code)(const int64_t *);
static const int64_t *kernel_words;
static uint64_t slots[MAX_THREADS];

#if defined(__x86_64__)
/* Saves what a call must keep, changes stacks, and restores it. */
void fake_cuda_switch(void **from, void *to);
__asm__(".text\n"
        ".type fake_cuda_switch, @function\n"
        "fake_cuda_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n"
        "  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n"
        "  popq %r12\n  popq %rbx\n  popq %rbp\n  ret\n");

static void beginFiber(void);

static void prepareFiber(Fiber *fiber) {
  uint64_t *top = (uint64_t *)(void *)(fiber->stack + STACK_BYTES);
  *--top = 0; /* the stack is aligned as after a call */
  *--top = (uint64_t)(uintptr_t)beginFiber;
  top -= 6;
  memset(top, 0, 6 * sizeof(*top));
  fiber->stack_pointer = top;
}

static void yieldFiber(int state) {
  fibers[current].state = state;
  fake_cuda_switch(&fibers[current].stack_pointer, scheduler_stack);
}

static void resumeFiber(int index) {
  current = index;
  fake_cuda_switch(&scheduler_stack, fibers[index].stack_pointer);
}
#else
static ucontext_t contexts[MAX_THREADS], scheduler;
static void beginFiber(void);

static void prepareFiber(Fiber *fiber) {
  ucontext_t *context = &contexts[fiber - fibers];
  getcontext(context);
  context->uc_stack.ss_sp = fiber->stack;
  context->uc_stack.ss_size = STACK_BYTES;
  context->uc_link = &scheduler;
  makecontext(context, beginFiber, 0);
}

static void yieldFiber(int state) {
  fibers[current].state = state;
  swapcontext(&contexts[current], &scheduler);
}

static void resumeFiber(int index) {
  current = index;
  swapcontext(&scheduler, &contexts[index]);
}
#endif

static void beginFiber(void) {
  kernel_code(kernel_words);
  yieldFiber(DONE);
  abort();
}

static void diverged(const char *where) {
  fprintf(stderr, "fake cuda: threads of block %u diverged at a %s\n",
          block_index, where);
  abort();
}

/* Runs a warp until all its threads wait at a barrier, or are done. */
static int runWarp(int first, int end) {
  for (;;) {
    int state;
    for (int t = first; t < end; ++t)
      resumeFiber(reverse ? end - 1 - (t - first) : t);
    state = fibers[first].state;
    for (int t = first; t < end; ++t)
      if (fibers[t].state != state)
        diverged("shuffle");
    if (state != AT_SHUFFLE)
      return state;
  }
}

static void runBlock(void) {
  int state;
  for (int t = 0; t < num_threads; ++t) {
    if (!fibers[t].stack)
      fibers[t].stack = aligned_alloc(64, STACK_BYTES);
    fibers[t].state = RUNNING;
    prepareFiber(&fibers[t]);
  }
  do {
    int num_warps = (num_threads + WARP - 1) / WARP;
    state = -1;
    for (int w = 0; w < num_warps; ++w) {
      int first = WARP * (reverse ? num_warps - 1 - w : w);
      int end = first + WARP < num_threads ? first + WARP : num_threads;
      int reached = runWarp(first, end);
      if (w && reached != state)
        diverged("barrier");
      state = reached;
    }
  } while (state != DONE);
}

/* What emulate.py has kernels call. */
API uint32_t emulated_tid(void) { return (uint32_t)current; }
API uint32_t emulated_ctaid(void) { return block_index; }
API uint32_t emulated_nctaid(void) { return num_blocks; }
API void emulated_barrier(void) { yieldFiber(AT_BARRIER); }
API uint32_t emulated_shuffle_xor(uint32_t value, uint32_t distance) {
  int self = current;
  uint32_t other;
  slots[self] = value;
  yieldFiber(AT_SHUFFLE);
  other = (uint32_t)slots[self ^ (int)distance];
  yieldFiber(AT_SHUFFLE);
  return other;
}

/* --- Modules and launches
 * ------------------------------------------------------ */

typedef struct Module {
  void *library;
} Module;
typedef struct Function {
  char name[256];
  void (*code)(const int64_t *);
} Function;
static Function functions[4096];
static int num_functions;

API CUresult cuModuleLoadDataEx(void **module, const void *image,
                                uint32_t num_options, int32_t *options,
                                void **values) {
  const char *path = setting("FAKE_CUDA_KERNELS", NULL);
  bool is_text = !memcmp(image, "//", 2);
  Module *made;
  ENTER_CONTEXT(is_text ? "text" : "binary");
  for (uint32_t i = 0; i < num_options; ++i)
    if (options[i] == 5)
      ((char *)values[i])[0] = 0;
  made = calloc(1, sizeof(*made));
  if (path) {
    /* The runtime keeps this library to itself; kernels call it. */
    Dl_info self;
    if (dladdr((const void *)&initialized, &self))
      dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    made->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!made->library) {
      fprintf(stderr, "fake cuda: %s\n", dlerror());
      abort();
    }
  }
  *module = made;
  return 0;
}

API CUresult cuModuleUnload(void *module) {
  ENTER_CONTEXT("");
  if (((Module *)module)->library)
    dlclose(((Module *)module)->library);
  free(module);
  return 0;
}

API CUresult cuModuleGetFunction(void **function, void *module,
                                 const char *name) {
  Function *made = &functions[num_functions];
  char symbol[300];
  ENTER_CONTEXT(name);
  if (num_functions == 4096)
    return OUT_OF_MEMORY;
  snprintf(made->name, sizeof(made->name), "%s", name);
  made->code = NULL;
  if (((Module *)module)->library) {
    void *address;
    snprintf(symbol, sizeof(symbol), "emulated_%s", name);
    address = dlsym(((Module *)module)->library, symbol);
    if (!address)
      return NOT_FOUND;
    memcpy(&made->code, &address, sizeof(address));
  }
  ++num_functions;
  *function = made;
  return 0;
}

API CUresult cuLaunchKernel(void *function, uint32_t grid_x, uint32_t grid_y,
                            uint32_t grid_z, uint32_t block_x, uint32_t block_y,
                            uint32_t block_z, uint32_t shared_bytes,
                            void *stream, void **parameters, void **extra) {
  Function *kernel = function;
  char details[300];
  int64_t words[512];
  size_t bytes;
  snprintf(details, sizeof(details), "%s %u", kernel->name, grid_x);
  ENTER_CONTEXT(details);
  if (!grid_x || grid_y != 1 || grid_z != 1 || !block_x ||
      block_x > MAX_THREADS || block_y != 1 || block_z != 1 || shared_bytes ||
      parameters || !stream || !extra || extra[0] != (void *)1 ||
      extra[2] != (void *)2 || extra[4])
    return INVALID_VALUE;
  bytes = *(size_t *)extra[3];
  if (bytes > sizeof(words))
    return INVALID_VALUE;
  if (!kernel->code)
    return 0;
  memcpy(words, extra[1], bytes);
  kernel_words = words;
  kernel_code = kernel->code;
  num_threads = (int)block_x;
  num_blocks = grid_x;
  reverse = setting("FAKE_CUDA_REVERSE", NULL) != NULL;
  for (uint32_t b = 0; b < grid_x; ++b) {
    block_index = reverse ? grid_x - 1 - b : b;
    runBlock();
  }
  return 0;
}
