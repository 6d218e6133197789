/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Values at the boundary, library calls, and that nothing is left of a run,
 * also of one that fails. The model, by hand:
 *
 *   s: seq(tensor(float)), t: string[n]
 *   r = s with [1, 2] and [1, 2] at its end      seq(tensor(float))
 *   u = t with "!" at the end of each string
 *
 * With n = 3 it also erases element 9 of the sequence, which there is none of.
 *
 * RUN: %unit/lathe-runtime-values
 */
#include "Values.h"
#include "FakeModel.h"

#include "lathe-rt/artifact.h"

#include <string.h>

int32_t lathe_rt_lib_sequence_insert(lathe_rt_call *call);
int32_t lathe_rt_lib_sequence_erase(lathe_rt_call *call);
int32_t lathe_rt_lib_string_concat(lathe_rt_call *call);

enum { S, T, R, U, LONGER };

static const float pairData[] = {1, 2};
static const int64_t pairShape[] = {2}, oneShape[] = {1}, nine[] = {9};
static const int64_t markOffsets[] = {0, 1};
static const lathe_rt_literal literals[] = {
    {kDLFloat, 32, 0, 1, pairShape, pairData, NULL},
    {kDLInt, 64, 0, 1, oneShape, nine, NULL},
    {kDLOpaqueHandle, 64, 0, 1, oneShape, "!", markOffsets}};

#define SLOT(i) {LATHE_RT_SLOT, i, 0, 0, 0, 0, NULL}
#define LITERAL(i) {LATHE_RT_LITERAL, i, 0, 0, 0, 0, NULL}
static const lathe_rt_operand insertOperands[] = {
    SLOT(S), LITERAL(0), {LATHE_RT_NOTHING, 0, 0, 0, 0, 0, NULL}, SLOT(LONGER)};
/* Nobody else needs the sequence: it is changed in place. */
static const lathe_rt_operand appendOperands[] = {
    {LATHE_RT_LAST, LONGER, 0, 0, 0, 0, NULL},
    LITERAL(0),
    {LATHE_RT_NOTHING, 0, 0, 0, 0, 0, NULL},
    SLOT(LONGER)};
static const lathe_rt_operand concatOperands[] = {SLOT(T), LITERAL(2), SLOT(U)};
static const lathe_rt_operand eraseOperands[] = {SLOT(LONGER), LITERAL(1),
                                                 SLOT(LONGER)};
static const lathe_rt_call_info calls[] = {
    {"insert", 3, 1, 0, 0, insertOperands, NULL},
    {"concat", 2, 1, 0, 0, concatOperands, NULL},
    {"erase", 2, 1, 0, 0, eraseOperands, NULL},
    {"append", 3, 1, 0, 0, appendOperands, NULL}};
static const lathe_rt_host host = {5, 4, 3, 0, calls, literals};

static int32_t program(lathe_rt_frame *frame) {
  lathe_rt_library(frame, 0, lathe_rt_lib_sequence_insert, NULL);
  lathe_rt_library(frame, 3, lathe_rt_lib_sequence_insert, NULL);
  lathe_rt_library(frame, 1, lathe_rt_lib_string_concat, NULL);
  if (lathe_rt_value_size(frame, T, 0) == 3)
    lathe_rt_library(frame, 2, lathe_rt_lib_sequence_erase, NULL);
  lathe_rt_move(frame, R, ~LONGER);
  return 0;
}

static const int64_t stringDims[] = {~0};
static const char *const stringNames[] = {"n"};
static const lathe_rt_tensor inputs[] = {
    {"s", kDLOpaqueHandle, 64, 1, -1, NULL, NULL, 0, "seq(tensor(float))"},
    {"t", kDLOpaqueHandle, 64, 1, 1, stringDims, stringNames, 0,
     "tensor(string)"}};
static const lathe_rt_tensor outputs[] = {
    {"r", kDLOpaqueHandle, 64, 1, -1, NULL, NULL, 0, "seq(tensor(float))"},
    {"u", kDLOpaqueHandle, 64, 1, -1, NULL, NULL, 0, "tensor(string)"}};

static const lathe_rt_model variant = {.version = LATHE_RT_ARTIFACT_VERSION,
                                       .struct_bytes = sizeof(lathe_rt_model),
                                       .name = "values",
                                       .target = "cpu",
                                       .cpu_features = "",
                                       .num_inputs = 2,
                                       .num_outputs = 2,
                                       .num_symbols = 1,
                                       .inputs = inputs,
                                       .outputs = outputs,
                                       .symbols = stringNames,
                                       .program = program,
                                       .host = &host};
static const lathe_rt_model *const variants[] = {&variant};
static const lathe_model model = {LATHE_ABI_VERSION, 1, &lathe_rt_api,
                                  variants};

/* --- An allocator that counts ----------------------------------------------
 */

static void *countedAllocate(void *user, size_t bytes, size_t alignment) {
  ++*(int64_t *)user;
  return aligned_alloc(alignment, (bytes + alignment) & ~(alignment - 1));
}

static void countedRelease(void *user, void *memory) {
  --*(int64_t *)user;
  free(memory);
}

static lathe_value *makeStrings(const lathe_allocator *allocator, int64_t n) {
  static const char *const texts[] = {"a", "", "ccc", "d"};
  lathe_value *value;
  EXPECT(!lathe_value_create_strings(&model, allocator, 1, &n, texts, NULL,
                                     &value));
  return value;
}

static lathe_value *makeSequence(const lathe_allocator *allocator) {
  float data[] = {1, 2, 3, 4};
  int64_t shape[] = {2, 2}, strides[] = {1, 2};
  DLTensor tensor = floatTensor(data, 2, shape);
  lathe_value *element, *sequence;
  tensor.strides = strides;
  EXPECT(!lathe_value_create_tensor(&model, allocator, &tensor, &element));
  EXPECT(
      !lathe_value_create_sequence(&model, allocator, 1, &element, &sequence));
  lathe_value_release(&model, element);
  return sequence;
}

static DLTensor handle(lathe_value *value) {
  DLTensor tensor = {value, {kDLCPU, 0}, 0, {kDLOpaqueHandle, 64, 1},
                     NULL,  NULL,        0};
  return tensor;
}

static void expectString(const lathe_value *strings, int64_t i,
                         const char *text) {
  size_t length;
  const char *got = lathe_value_get_string(&model, strings, i, &length);
  EXPECT(got && length == strlen(text) && !memcmp(got, text, length));
}

static void testRun(lathe_context *ctx, const lathe_allocator *allocator) {
  lathe_value *s = makeSequence(allocator), *t = makeStrings(allocator, 2);
  DLTensor in[] = {handle(s), handle(t)}, out[2];
  DLTensor view;
  lathe_value *r, *u;
  memset(out, 0, sizeof(out));
  EXPECT(!lathe_run(ctx, in, out));
  r = out[0].data, u = out[1].data;
  EXPECT(out[0].dtype.code == kDLOpaqueHandle);
  EXPECT(lathe_value_get_kind(&model, r) == LATHE_SEQUENCE);
  EXPECT(lathe_value_get_count(&model, r) == 3);
  EXPECT(!lathe_value_get_element(&model, r, 3));
  /* What was strided is dense now. */
  EXPECT(!lathe_value_get_tensor(&model, lathe_value_get_element(&model, r, 0),
                                 &view));
  EXPECT(view.ndim == 2 && ((float *)view.data)[1] == 3);
  EXPECT(!lathe_value_get_tensor(&model, lathe_value_get_element(&model, r, 1),
                                 &view));
  EXPECT(view.ndim == 1 && ((float *)view.data)[1] == 2);
  expectString(u, 0, "a!");
  expectString(u, 1, "!");
  EXPECT(lathe_value_get_tensor(&model, r, &view) == LATHE_INVALID_ARGUMENT);
  /* The caller's values are as they were. */
  EXPECT(lathe_value_get_count(&model, s) == 1);
  expectString(t, 0, "a");
  lathe_release_output(ctx, &out[0]);
  EXPECT(!out[0].data);
  lathe_value_release(&model, u);
  lathe_value_release(&model, s);
  lathe_value_release(&model, t);
}

static void testErrors(lathe_context *ctx, const lathe_allocator *allocator) {
  lathe_value *s = makeSequence(allocator), *t = makeStrings(allocator, 3);
  DLTensor in[] = {handle(s), handle(t)}, out[2];
  float number = 0;
  memset(out, 0, sizeof(out));
  EXPECT(lathe_run(ctx, in, out) == LATHE_FAILED);
  EXPECT(!strcmp(lathe_context_message(ctx),
                 "node 'erase': expected a position in [-3, 2], got 9"));
  EXPECT(!out[0].data && !out[1].data);
  in[0] = handle(t);
  EXPECT(lathe_run(ctx, in, out) == LATHE_INVALID_ARGUMENT);
  EXPECT(!strcmp(lathe_context_message(ctx),
                 "input 's': expected a value of type seq(tensor(float)), got "
                 "tensor(string)"));
  in[0] = floatTensor(&number, 0, NULL);
  EXPECT(lathe_run(ctx, in, out) == LATHE_INVALID_ARGUMENT);
  in[0] = handle(s);
  out[0] = floatTensor(&number, 0, NULL);
  EXPECT(lathe_run(ctx, in, out) == LATHE_INVALID_ARGUMENT);
  lathe_value_release(&model, s);
  lathe_value_release(&model, t);
}

static void testMaking(const lathe_allocator *allocator) {
  lathe_value *keys = makeStrings(allocator, 4), *values, *map, *optional;
  lathe_value *none = NULL;
  float data[] = {1, 2, 3, 4};
  int64_t shape[] = {4};
  DLTensor tensor = floatTensor(data, 1, shape);
  EXPECT(!lathe_value_create_tensor(&model, allocator, &tensor, &values));
  EXPECT(!lathe_value_create_map(&model, allocator, keys, values, &map));
  EXPECT(lathe_value_get_count(&model, map) == 4);
  EXPECT(lathe_value_get_element(&model, map, 0) == keys);
  EXPECT(lathe_rt_has_type(map, "map(string,tensor(float))"));
  EXPECT(!lathe_rt_has_type(map, "map(int64,tensor(float))"));
  EXPECT(!lathe_rt_has_type(map, "map(string,tensor(double))"));
  EXPECT(!lathe_value_create_optional(&model, allocator, map, &optional));
  EXPECT(lathe_rt_has_type(optional, "optional(map(string,tensor(float)))"));
  EXPECT(lathe_rt_has_type(map, "optional(map(string,tensor(float)))"));
  EXPECT(!lathe_rt_has_type(optional, "map(string,tensor(float))"));
  /* Wrong contents are refused. */
  EXPECT(lathe_value_create_map(&model, allocator, values, keys, &none));
  EXPECT(lathe_value_create_sequence(&model, allocator, 1, &none, &none));
  shape[0] = -1;
  EXPECT(lathe_value_create_tensor(&model, allocator, &tensor, &none));
  EXPECT(!none);
  lathe_value_release(&model, optional);
  lathe_value_release(&model, map);
  lathe_value_release(&model, values);
  lathe_value_release(&model, keys);
}

int main(void) {
  int64_t live = 0;
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  lathe_tensor_info info;
  options.num_threads = 1;
  options.allocator.user = &live;
  options.allocator.allocate = countedAllocate;
  options.allocator.release = countedRelease;
  EXPECT(!lathe_context_create(&model, &options, &ctx));
  EXPECT(!strcmp(lathe_model_get_type(&model, 0), "seq(tensor(float))"));
  EXPECT(!strcmp(lathe_model_get_type(&model, ~1), "tensor(string)"));
  EXPECT(!lathe_model_get_input(&model, 0, &info) && info.rank == -1);
  testRun(ctx, &options.allocator);
  testErrors(ctx, &options.allocator);
  testRun(ctx, &options.allocator);
  testMaking(&options.allocator);
  lathe_context_destroy(ctx);
  EXPECT(live == 0);
  return 0;
}
