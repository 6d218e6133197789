/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The binary contract between the code that the compiler generates and the
 * runtime. Not for applications: those use lathe.h. The compiler writes these
 * structures as constant data (lib/Conversion/LatheToLLVM must agree with every
 * field); a change of any of them raises LATHE_RT_ARTIFACT_VERSION.
 */
#ifndef LATHE_RT_ARTIFACT_H
#define LATHE_RT_ARTIFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_RT_ARTIFACT_VERSION 2

/* Everything that depends on symbolic sizes is an index into `values`, the
 * array that `eval` computes from the symbols. A "size" field below is either a
 * constant >= 0 or ~index (so negative) of an entry of `values`. */

typedef struct lathe_rt_tensor {
  const char *name;
  uint8_t dtype_code; /* DLPack's DLDataTypeCode */
  uint8_t dtype_bits;
  uint16_t dtype_lanes;
  int32_t rank;
  const int64_t *dims; /* size per dimension */
  const char *const
      *dim_names; /* NULL, or per dimension the symbol's name or NULL */
  /* Of an output: bit d is set where dimension d depends on data, and so is
     known only when the program asks for the output (lathe_rt_output). */
  uint64_t data_dims;
  /* NULL for a plain tensor. Of a value: its type as ONNX writes it, like
     "seq(map(int64,tensor(float)))". Its dtype_code is kDLOpaqueHandle, and its
     rank -1 unless it is an input of strings, whose shape binds symbols. */
  const char *type;
} lathe_rt_tensor;

/* A buffer of the arena. Lives from position `first` to position `last` of the
 * program, both included; positions rise from launch to launch. */
typedef struct lathe_rt_buffer {
  int64_t bytes; /* size */
  int32_t first, last;
} lathe_rt_buffer;

/* An output that lies in the memory of an input. Where it is the input with
 * steps added along `axis`, that axis comes first in memory and there is room
 * for `max` steps; programs then see the axis as their first dimension. Else
 * `axis` is -1 and the output has the input's shape. */
typedef struct lathe_rt_state {
  int32_t input, output;
  int32_t axis, reserved;
  int64_t max;
} lathe_rt_state;

typedef struct lathe_rt_launch_info {
  const char *kernel; /* the kernel's name */
  const char *nodes;  /* the ONNX nodes it computes, separated by ", " */
  int64_t flops;      /* size */
  int64_t bytes;      /* size: read + written */
} lathe_rt_launch_info;

/* A check that a kernel makes while it runs (an index out of range). The
 * kernel stores check number + 1 and the offending value into the frame. */
typedef struct lathe_rt_check {
  const char *node;
  const char *message; /* contains one %lld for the value */
} lathe_rt_check;

typedef struct lathe_rt_frame lathe_rt_frame;

/* Values that are not plain tensors (strings, sequences, maps, optionals) lie in
 * slots of the context: slot i is input i, slot num_inputs + o output o, the
 * others are the program's. Library functions of the runtime make and read
 * them. */

enum {
  LATHE_RT_NOTHING = 0, /* an operand that is omitted, a result nobody reads */
  LATHE_RT_TENSOR = 1,  /* memory of the program */
  LATHE_RT_SLOT = 2,
  LATHE_RT_LITERAL = 3,
  LATHE_RT_LAST = 4 /* a slot that nobody reads afterwards: emptied */
};

typedef struct lathe_rt_operand {
  int32_t kind;
  int32_t index; /* of a slot or literal */
  uint8_t dtype_code, dtype_bits;
  uint16_t reserved;
  int32_t rank;
  const int64_t *dims; /* of a tensor; -1: given by the call */
} lathe_rt_operand;

/* A constant tensor, or strings: string i is data[offsets[i] .. offsets[i + 1])
 */
typedef struct lathe_rt_literal {
  uint8_t dtype_code, dtype_bits;
  uint16_t reserved;
  int32_t rank;
  const int64_t *shape;
  const void *data;
  const int64_t *offsets; /* NULL for a tensor */
} lathe_rt_literal;

typedef struct lathe_rt_call_info {
  const char *node;
  int32_t num_inputs, num_results, num_ints, num_sizes;
  const lathe_rt_operand *operands; /* inputs, then results */
  const int64_t *ints;
} lathe_rt_call_info;

typedef struct lathe_rt_host {
  int32_t num_slots, num_calls, num_literals, reserved;
  const lathe_rt_call_info *calls;
  const lathe_rt_literal *literals;
} lathe_rt_host;

typedef struct lathe_rt_call lathe_rt_call;
/* A library function: 0, or the status of the run that it ends. */
typedef int32_t (*lathe_rt_function)(lathe_rt_call *call);

typedef int32_t (*lathe_rt_kernel)(const int64_t *args, int64_t begin,
                                   int64_t end, void *scratch);

/* What a running program sees. Generated code reads the first fields at fixed
 * offsets; what follows belongs to the runtime. */
struct lathe_rt_frame {
  int64_t *values;        /*  0: results of eval */
  char *arena;            /*  8 */
  const int64_t *offsets; /* 16: of each buffer in the arena */
  const char *weights;    /* 24 */
  void *const *io;        /* 32: inputs, then outputs */
  int64_t *status;        /* 40: {check + 1 or 0, value}; written by kernels */
};

/* Code for a device with memory of its own. Tensors then lie in that memory:
 * the addresses in `arena`, `weights`, `io` and in a launch's `args` are the
 * device's, and what programs pass as `kernel` is a lathe_rt_device_kernel. */

/* The same kernels for one kind of chip. */
typedef struct lathe_rt_image {
  int32_t chip;      /* compute capability: 80 is 8.0 */
  int32_t is_binary; /* for chips of that major version, not older; else text
                        that the driver compiles for any chip that is not
                        older, with a NUL at its end */
  int64_t bytes;
  const char *data;
} lathe_rt_image;

typedef struct lathe_rt_device_kernel {
  const char *name; /* in the images */
  int32_t threads;  /* of a block; a block computes one tile at a time */
  int32_t num_args; /* words of `args`; the kernel gets them, then the address
                       of the scratch memory, its bytes per block, and the
                       number of tiles */
  int32_t has_scratch; /* whether it uses scratch memory */
} lathe_rt_device_kernel;

struct lathe_rt_driver;

typedef struct lathe_rt_device {
  /* Of the runtime; named here so that only artifacts that need a driver
     contain its code. */
  const struct lathe_rt_driver *driver;
  int32_t num_images, num_kernels;
  const lathe_rt_image *images;
  const lathe_rt_device_kernel *kernels;
} lathe_rt_device;

typedef struct lathe_rt_model {
  uint32_t version; /* LATHE_RT_ARTIFACT_VERSION */
  uint32_t struct_bytes;
  const char *name;
  const char *target;       /* e.g. "cpu:x86-64-v4" */
  const char *cpu_features; /* comma-separated, needed at run time */
  int32_t num_inputs, num_outputs, num_symbols, num_values, num_buffers,
      num_launches, num_checks, flags;
  int32_t num_growables; /* slots of lathe_rt_reserve */
  int32_t num_binds;     /* calls of lathe_rt_bind in the program */
  int32_t num_states, reserved;
  const lathe_rt_tensor *inputs, *outputs;
  /* Names. An input dimension ~i (i < num_symbols) binds symbol i; those that
     no input binds are 1 until the program binds them. */
  const char *const *symbols;
  const lathe_rt_buffer *buffers;
  const int64_t
      *offsets; /* of the buffers, or NULL: planned when a shape is seen */
  int64_t arena_bytes;   /* where offsets != NULL */
  int64_t scratch_bytes; /* size, per thread */
  const char
      *weights; /* page-aligned, or NULL with weights beside the library */
  int64_t weights_bytes;
  /* values[0 .. num_symbols) are the symbols. NULL if num_values is 0. Returns
     0, -1 where a size does not fit in 64 bits, or check + 1 of a requirement
     on the sizes that does not hold (its message then has no %lld). */
  int32_t (*eval)(const int64_t *symbols, int64_t *values);
  int32_t (*program)(lathe_rt_frame *frame);
  const lathe_rt_launch_info *launches;
  const lathe_rt_check *checks;
  const lathe_rt_host *host; /* NULL without library calls and values */
  const lathe_rt_state *states;
  /* Optional, present where struct_bytes covers it: key, value, ..., NULL. */
  const char *const *metadata;
  /* Optional likewise: where kernels run, if not on the host. */
  const lathe_rt_device *device;
} lathe_rt_model;

/* What a model exports is one function `const lathe_model
 * *NAME_lathe_model(void)` that returns the address of a constant
 *
 *   lathe_model = { uint32_t abi_version = LATHE_ABI_VERSION (1),
 *                   uint32_t num_variants,
 *                   const lathe_api *api = &lathe_rt_api,
 *                   const lathe_rt_model *const *variants }
 *
 * as lathe.h declares it. Variants differ in `cpu_features` only as far as a
 * caller can tell; the first one that the processor can run is taken, so the
 * best comes first. `cpu_features` uses LLVM's names ("avx2,fma,avx512f", a
 * leading '+' allowed) and lists what must be checked, not tuning flags. */
struct lathe_api;
extern const struct lathe_api lathe_rt_api;

/* Called by generated programs: runs `kernel` over tiles [0, tiles) on the
 * context's threads. Nonzero aborts the program. */
int32_t lathe_rt_launch(lathe_rt_frame *frame, int32_t launch,
                        lathe_rt_kernel kernel, const int64_t *args,
                        int64_t tiles);

/* Called by programs for a device: copy `bytes` (at most 8) from the device,
 * or within it. Nonzero aborts the program. */
int32_t lathe_rt_read(lathe_rt_frame *frame, void *to, const void *from,
                      int64_t bytes);
int32_t lathe_rt_copy(lathe_rt_frame *frame, void *to, const void *from,
                      int64_t bytes);

/* The following are called by programs with sizes that depend on data. They do
 * not return where they fail: the run ends with an error. */

/* Sets symbol `symbol` to `value` and computes `values` anew. Fails with check
 * number `check` unless 0 <= value, and value <= max if max >= 0. */
void lathe_rt_bind(lathe_rt_frame *frame, int32_t symbol, int64_t value,
                   int64_t max, int32_t check);

/* The memory of growable slot `slot`, with room for `bytes`. What it holds is
 * kept if `keep`. Addresses given before for the slot are no longer valid. */
void *lathe_rt_reserve(lathe_rt_frame *frame, int32_t slot, int64_t bytes,
                       int32_t keep);

/* The memory of output `index`, whose shape depends on data and is known now:
 * the caller's, which must have that shape, or made by the allocator. */
void *lathe_rt_output(lathe_rt_frame *frame, int32_t index);

/* The following are called by programs with values; they do not return either
 * where they fail. */

/* Calls `function` as call number `call` describes. `args` holds, for each
 * operand that is a tensor, its address and then the sizes that `dims` does not
 * give; then num_sizes sizes. */
void lathe_rt_library(lathe_rt_frame *frame, int32_t call,
                      lathe_rt_function function, const int64_t *args);

/* Lets slot `to` hold what slot `from` holds; ~from empties that one. */
void lathe_rt_move(lathe_rt_frame *frame, int32_t to, int32_t from);

/* Size `dim` of the tensor or strings in a slot, -1 without it; with dim -1 the
 * number of elements. */
int64_t lathe_rt_value_size(lathe_rt_frame *frame, int32_t slot, int32_t dim);

#ifdef __cplusplus
}
#endif
#endif /* LATHE_RT_ARTIFACT_H */
