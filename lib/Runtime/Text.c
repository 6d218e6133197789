/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Error messages, written into fixed storage: the runtime neither allocates
 * nor uses stdio to say what went wrong.
 */
#include "Runtime.h"

void lathe_rt_text_begin(lathe_rt_text *text, char *data, size_t bytes) {
  text->data = data;
  text->bytes = bytes;
  text->length = 0;
  if (bytes)
    data[0] = 0;
}

void lathe_rt_text_string(lathe_rt_text *text, const char *string) {
  if (!string)
    return;
  while (*string && text->length + 1 < text->bytes)
    text->data[text->length++] = *string++;
  if (text->bytes)
    text->data[text->length] = 0;
}

void lathe_rt_text_int(lathe_rt_text *text, int64_t value) {
  char digits[24];
  char *at = digits + sizeof(digits);
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *--at = 0;
  do {
    *--at = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest);
  if (value < 0)
    *--at = '-';
  lathe_rt_text_string(text, at);
}

void lathe_rt_text_shape(lathe_rt_text *text, int32_t rank,
                         const int64_t *shape) {
  lathe_rt_text_string(text, "[");
  for (int32_t d = 0; d < rank; ++d) {
    if (d)
      lathe_rt_text_string(text, ", ");
    lathe_rt_text_int(text, shape[d]);
  }
  lathe_rt_text_string(text, "]");
}

void lathe_rt_text_dtype(lathe_rt_text *text, DLDataType dtype) {
  const char *name = NULL;
  bool bits = true;
  switch (dtype.code) {
  case kDLInt:
    name = "int";
    break;
  case kDLUInt:
    name = "uint";
    break;
  case kDLFloat:
    name = "float";
    break;
  case kDLBfloat:
    name = "bfloat";
    break;
  case kDLComplex:
    name = "complex";
    break;
  case kDLBool:
    name = "bool";
    bits = dtype.bits != 8;
    break;
  case kDLFloat8_e4m3fn:
    name = "float8e4m3fn";
    break;
  case kDLFloat8_e4m3fnuz:
    name = "float8e4m3fnuz";
    break;
  case kDLFloat8_e5m2:
    name = "float8e5m2";
    break;
  case kDLFloat8_e5m2fnuz:
    name = "float8e5m2fnuz";
    break;
  case kDLFloat8_e8m0fnu:
    name = "float8e8m0fnu";
    break;
  case kDLFloat6_e2m3fn:
    name = "float6e2m3fn";
    break;
  case kDLFloat6_e3m2fn:
    name = "float6e3m2fn";
    break;
  case kDLFloat4_e2m1fn:
    name = "float4e2m1fn";
    break;
  default:
    break;
  }
  if (dtype.code > kDLBool)
    bits = false;
  if (name && dtype.lanes == 1) {
    lathe_rt_text_string(text, name);
    if (bits)
      lathe_rt_text_int(text, dtype.bits);
    return;
  }
  lathe_rt_text_string(text, "dlpack<");
  lathe_rt_text_int(text, dtype.code);
  lathe_rt_text_string(text, ", ");
  lathe_rt_text_int(text, dtype.bits);
  lathe_rt_text_string(text, ", ");
  lathe_rt_text_int(text, dtype.lanes);
  lathe_rt_text_string(text, ">");
}
