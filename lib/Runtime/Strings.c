/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Library functions for tensors of strings.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Values.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Broadcasting -------------------------------------------------------- */

typedef struct lathe_rt_pair {
  int32_t rank;
  int64_t count;
  int64_t shape[LATHE_RT_MAX_RANK];
  int64_t steps[2][LATHE_RT_MAX_RANK];
  /* Where the walk is: the positions in both operands. */
  int64_t index[LATHE_RT_MAX_RANK], at[2];
} lathe_rt_pair;

static int64_t alignedSize(const lathe_value *value, int32_t rank, int32_t d) {
  int32_t own = d - (rank - value->rank);
  return own < 0 ? 1 : value->shape[own];
}

/* Sets out to walk two operands that broadcast. */
static lathe_status beginPair(lathe_rt_call *call, lathe_rt_pair *pair) {
  const lathe_value *operands[2] = {call->inputs[0], call->inputs[1]};
  int64_t steps[2] = {1, 1};
  memset(pair, 0, sizeof(*pair));
  pair->rank = operands[0]->rank > operands[1]->rank ? operands[0]->rank
                                                     : operands[1]->rank;
  if (pair->rank > LATHE_RT_MAX_RANK)
    return lathe_rt_call_fail_int(call, "fewer dimensions", pair->rank);
  for (int32_t d = pair->rank - 1; d >= 0; --d) {
    int64_t a = alignedSize(operands[0], pair->rank, d);
    int64_t b = alignedSize(operands[1], pair->rank, d);
    if (a != b && a != 1 && b != 1) {
      lathe_rt_text text = lathe_rt_call_error(call);
      lathe_rt_text_string(&text, "expected shapes that broadcast, got ");
      lathe_rt_text_shape(&text, operands[0]->rank, operands[0]->shape);
      lathe_rt_text_string(&text, " and ");
      lathe_rt_text_shape(&text, operands[1]->rank, operands[1]->shape);
      return LATHE_FAILED;
    }
    pair->shape[d] = a == 1 ? b : a;
    pair->steps[0][d] = a == 1 ? 0 : steps[0];
    pair->steps[1][d] = b == 1 ? 0 : steps[1];
    steps[0] *= a;
    steps[1] *= b;
  }
  pair->count = lathe_rt_count(pair->rank, pair->shape);
  return LATHE_OK;
}

static void nextPair(lathe_rt_pair *pair) {
  for (int32_t d = pair->rank - 1; d >= 0; --d) {
    pair->at[0] += pair->steps[0][d];
    pair->at[1] += pair->steps[1][d];
    if (++pair->index[d] < pair->shape[d])
      return;
    pair->at[0] -= pair->steps[0][d] * pair->shape[d];
    pair->at[1] -= pair->steps[1][d] * pair->shape[d];
    pair->index[d] = 0;
  }
}

static void appendText(lathe_value *strings, int64_t index, const char *text,
                       int64_t length) {
  int64_t at = strings->offsets[index];
  if (length)
    memcpy(strings->data + at, text, (size_t)length);
  strings->offsets[index + 1] = at + length;
}

/* inputs: two tensors of strings. */
lathe_status lathe_rt_lib_string_concat(lathe_rt_call *call) {
  const lathe_value *a = call->inputs[0], *b = call->inputs[1];
  lathe_rt_pair pair;
  lathe_value *result;
  int64_t bytes = 0, length;
  lathe_status status = beginPair(call, &pair);
  if (status)
    return status;
  for (int64_t i = 0; i < pair.count; ++i, nextPair(&pair)) {
    lathe_rt_text_at(a, pair.at[0], &length);
    bytes += length;
    lathe_rt_text_at(b, pair.at[1], &length);
    bytes += length;
  }
  result =
      lathe_rt_new_strings(&call->ctx->allocator, pair.rank, pair.shape, bytes);
  if (!result)
    return lathe_rt_call_no_memory(call);
  status = beginPair(call, &pair);
  for (int64_t i = 0; i < pair.count; ++i, nextPair(&pair)) {
    const char *text = lathe_rt_text_at(a, pair.at[0], &length);
    int64_t first = length;
    appendText(result, i, text, length);
    text = lathe_rt_text_at(b, pair.at[1], &length);
    if (length)
      memcpy(result->data + result->offsets[i + 1], text, (size_t)length);
    result->offsets[i + 1] = result->offsets[i] + first + length;
  }
  return lathe_rt_give(call, 0, result);
}

/* inputs: two tensors of strings; result: bools. */
lathe_status lathe_rt_lib_string_equal(lathe_rt_call *call) {
  DLDataType type = {kDLBool, 8, 1};
  lathe_rt_pair pair;
  lathe_value *result;
  lathe_status status = beginPair(call, &pair);
  if (!status)
    status =
        lathe_rt_result_tensor(call, 0, type, pair.rank, pair.shape, &result);
  for (int64_t i = 0; !status && i < pair.count; ++i, nextPair(&pair)) {
    int64_t lengths[2];
    const char *a = lathe_rt_text_at(call->inputs[0], pair.at[0], &lengths[0]);
    const char *b = lathe_rt_text_at(call->inputs[1], pair.at[1], &lengths[1]);
    result->data[i] =
        lengths[0] == lengths[1] && memcmp(a, b, (size_t)lengths[0]) == 0;
  }
  return status;
}

/* --- Moving -------------------------------------------------------------- */

/* inputs: positions (i64), then tensors of strings. A position is that in
 * tensor k plus k * 2^48. The result has the shape of the positions. */
lathe_status lathe_rt_lib_string_take(lathe_rt_call *call) {
  const lathe_value *positions = call->inputs[0];
  lathe_value *result;
  int64_t bytes = 0;
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 1) {
      result = lathe_rt_new_strings(&call->ctx->allocator, positions->rank,
                                    positions->shape, bytes);
      if (!result)
        return lathe_rt_call_no_memory(call);
    }
    for (int64_t i = 0; i < positions->count; ++i) {
      int64_t position = lathe_rt_int_at(positions, i), length;
      int64_t source = 1 + (position >> 48);
      int64_t at = position & (((int64_t)1 << 48) - 1);
      const char *text;
      if (source < 1 || source >= call->info->num_inputs ||
          at >= call->inputs[source]->count)
        return lathe_rt_call_fail_int(call, "a position among the strings",
                                      position);
      text = lathe_rt_text_at(call->inputs[source], at, &length);
      if (pass == 0)
        bytes += length;
      else
        appendText(result, i, text, length);
    }
  }
  return lathe_rt_give(call, 0, result);
}

/* inputs: strings; sizes: the shape of the result. */
lathe_status lathe_rt_lib_string_reshape(lathe_rt_call *call) {
  const lathe_value *from = call->inputs[0];
  int64_t bytes = from->offsets[from->count];
  lathe_value *result;
  if (lathe_rt_count(call->info->num_sizes, call->sizes) != from->count)
    return lathe_rt_call_fail_int(call, "a shape of as many strings",
                                  from->count);
  result = lathe_rt_new_strings(&call->ctx->allocator, call->info->num_sizes,
                                call->sizes, bytes);
  if (!result)
    return lathe_rt_call_no_memory(call);
  memcpy(result->offsets, from->offsets,
         sizeof(int64_t) * (size_t)(from->count + 1));
  if (bytes)
    memcpy(result->data, from->data, (size_t)bytes);
  return lathe_rt_give(call, 0, result);
}

/* --- Splitting ----------------------------------------------------------- */

static bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Cuts the next part off `*text`: false when there is none. Without a delimiter
 * parts are separated by any whitespace. */
static bool nextPart(const char **text, int64_t *length, bool *ended,
                     const char *delimiter, int64_t delimiter_bytes,
                     bool is_last, const char **part, int64_t *part_bytes) {
  int64_t end = 0;
  if (*ended)
    return false;
  if (!delimiter_bytes) {
    while (*length && isSpace(**text)) {
      ++*text;
      --*length;
    }
    if (!*length)
      return false;
    while (end < *length && (is_last || !isSpace((*text)[end])))
      ++end;
    *part = *text;
    *part_bytes = end;
    *text += end;
    *length -= end;
    return true;
  }
  while (is_last || end + delimiter_bytes > *length ||
         memcmp(*text + end, delimiter, (size_t)delimiter_bytes) != 0) {
    if (is_last || end + delimiter_bytes > *length) {
      *part = *text;
      *part_bytes = *length;
      *ended = true;
      return true;
    }
    ++end;
  }
  *part = *text;
  *part_bytes = end;
  *text += end + delimiter_bytes;
  *length -= end + delimiter_bytes;
  return true;
}

/* inputs: strings, the delimiter (one string, empty for whitespace); ints: how
 * often to cut at most, or -1. results: parts, numbers of parts. */
lathe_status lathe_rt_lib_string_split(lathe_rt_call *call) {
  const lathe_value *from = call->inputs[0];
  int64_t delimiter_bytes, shape[LATHE_RT_MAX_RANK + 1];
  const char *delimiter =
      lathe_rt_text_at(call->inputs[1], 0, &delimiter_bytes);
  int64_t limit = call->ints[0], most = 0;
  DLDataType i64 = {kDLInt, 64, 1};
  lathe_value *counts, *parts;
  lathe_status status;
  if (from->rank >= LATHE_RT_MAX_RANK)
    return lathe_rt_call_fail_int(call, "fewer dimensions", from->rank);
  status =
      lathe_rt_result_tensor(call, 1, i64, from->rank, from->shape, &counts);
  for (int pass = 0; pass < 2 && !status; ++pass) {
    if (pass == 1) {
      for (int32_t d = 0; d < from->rank; ++d)
        shape[d] = from->shape[d];
      shape[from->rank] = most;
      parts = lathe_rt_new_strings(&call->ctx->allocator, from->rank + 1, shape,
                                   from->offsets[from->count]);
      if (!parts)
        return lathe_rt_call_no_memory(call);
    }
    for (int64_t i = 0; i < from->count; ++i) {
      int64_t length, part_bytes, n = 0;
      const char *text = lathe_rt_text_at(from, i, &length), *part;
      bool ended = false;
      for (; nextPart(&text, &length, &ended, delimiter, delimiter_bytes,
                      limit >= 0 && n == limit, &part, &part_bytes);
           ++n)
        if (pass == 1)
          appendText(parts, i * most + n, part, part_bytes);
      ((int64_t *)(void *)counts->data)[i] = n;
      for (; pass == 1 && n < most; ++n)
        appendText(parts, i * most + n, NULL, 0);
      most = n > most ? n : most;
    }
  }
  return status ? status : lathe_rt_give(call, 0, parts);
}

/* --- Words --------------------------------------------------------------- */

/* The next code point of UTF-8 text, or a byte that is none as it is. */
static uint32_t decode(const char *text, int64_t length, int64_t *at) {
  const unsigned char *s = (const unsigned char *)text + *at;
  int64_t left = length - *at;
  if (s[0] >= 0xC2 && s[0] < 0xE0 && left > 1 && (s[1] & 0xC0) == 0x80) {
    *at += 2;
    return (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
  }
  *at += 1;
  return s[0] < 0x80 ? s[0] : 0;
}

/* The other case of a letter of the Latin, Greek and Cyrillic alphabets whose
 * two forms take the same number of bytes in UTF-8. */
static uint32_t changeCase(uint32_t c, bool upper) {
  static const struct {
    uint32_t first, last, distance;
  } ranges[] = {
      /* of the small letters */
      {'a', 'z', 32},     {0xE0, 0xF6, 32},   {0xF8, 0xFE, 32},
      {0x3AC, 0x3AC, 38}, {0x3AD, 0x3AF, 37}, {0x3B1, 0x3C1, 32},
      {0x3C3, 0x3CB, 32}, {0x3CC, 0x3CC, 64}, {0x3CD, 0x3CE, 63},
      {0x430, 0x44F, 32}, {0x450, 0x45F, 80},
  };
  for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); ++i) {
    uint32_t shift = upper ? 0 : ranges[i].distance;
    if (c + shift >= ranges[i].first && c + shift <= ranges[i].last)
      return upper ? c - ranges[i].distance : c + ranges[i].distance;
  }
  /* Pairs of a capital and a small letter, one after the other. */
  bool even_capital = (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) ||
                      (c >= 0x14A && c <= 0x177) ||
                      (c >= 0x460 && c <= 0x481) ||
                      (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F);
  bool odd_capital = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E) ||
                     (c >= 0x4C1 && c <= 0x4CE);
  if (even_capital)
    return upper ? c & ~1u : c | 1u;
  if (odd_capital)
    return upper ? c - (c % 2 == 0) : c + c % 2;
  return c;
}

/* Writes `text` in one case; it keeps its length. */
static void writeCase(char *to, const char *text, int64_t length, bool upper) {
  for (int64_t at = 0; at < length;) {
    int64_t begin = at;
    uint32_t c = decode(text, length, &at);
    uint32_t changed = changeCase(c, upper);
    memcpy(to + begin, text + begin, (size_t)(at - begin));
    if (changed == c)
      continue;
    if (at - begin == 1) {
      to[begin] = (char)changed;
    } else {
      to[begin] = (char)(0xC0 | changed >> 6);
      to[begin + 1] = (char)(0x80 | (changed & 0x3F));
    }
  }
}

static bool sameWord(const char *a, int64_t a_bytes, const char *b,
                     int64_t b_bytes, bool any_case) {
  if (a_bytes != b_bytes)
    return false;
  if (!any_case)
    return memcmp(a, b, (size_t)a_bytes) == 0;
  for (int64_t i = 0, j = 0; i < a_bytes && j < b_bytes;) {
    int64_t a_begin = i, b_begin = j;
    uint32_t x = decode(a, a_bytes, &i), y = decode(b, b_bytes, &j);
    if (i - a_begin != j - b_begin ||
        changeCase(x, false) != changeCase(y, false))
      return false;
    if (!x && a[a_begin] != b[b_begin])
      return false;
  }
  return true;
}

/* inputs: strings of one dimension, or two with a first size of 1; words to
 * remove. ints: 0 keeps the case, 1 gives small letters, 2 capitals; whether
 * the words' case matters. */
lathe_status lathe_rt_lib_string_normalizer(lathe_rt_call *call) {
  const lathe_value *from = call->inputs[0], *words = call->inputs[1];
  int64_t kept = 0, shape[2] = {1, 0}, next = 0;
  lathe_value *result;
  bool *keep;
  if ((from->rank != 1 && from->rank != 2) ||
      (from->rank == 2 && from->shape[0] != 1))
    return lathe_rt_call_fail_int(call, "one row of strings", from->rank);
  keep = call->ctx->allocator.allocate(
      call->ctx->allocator.user, (size_t)from->count + 1, LATHE_RT_ALIGNMENT);
  if (!keep)
    return lathe_rt_call_no_memory(call);
  for (int64_t i = 0; i < from->count; ++i) {
    int64_t length, word_bytes;
    const char *text = lathe_rt_text_at(from, i, &length);
    keep[i] = true;
    for (int64_t w = 0; words && w < words->count && keep[i]; ++w) {
      const char *word = lathe_rt_text_at(words, w, &word_bytes);
      keep[i] = !sameWord(text, length, word, word_bytes, !call->ints[1]);
    }
    kept += keep[i];
  }
  /* Where nothing is left stands one empty string. */
  shape[from->rank - 1] = kept ? kept : 1;
  result = lathe_rt_new_strings(&call->ctx->allocator, from->rank, shape,
                                from->offsets[from->count]);
  for (int64_t i = 0; result && i < from->count; ++i) {
    int64_t length;
    const char *text = lathe_rt_text_at(from, i, &length);
    if (!keep[i])
      continue;
    if (call->ints[0])
      writeCase(result->data + result->offsets[next], text, length,
                call->ints[0] == 2);
    else
      memcpy(result->data + result->offsets[next], text, (size_t)length);
    result->offsets[next + 1] = result->offsets[next] + length;
    ++next;
  }
  call->ctx->allocator.release(call->ctx->allocator.user, keep);
  return lathe_rt_give(call, 0, result);
}

/* --- Numbers ------------------------------------------------------------- */

/* The shortest text that reads as the same number. */
static int writeReal(char *text, size_t bytes, double value, bool is_double) {
  int length = 0;
  if (value != value)
    return snprintf(text, bytes, "NaN");
  if (value - value != 0)
    return snprintf(text, bytes, value < 0 ? "-INF" : "INF");
  for (int digits = 1; digits <= (is_double ? 17 : 9); ++digits) {
    length = snprintf(text, bytes, "%.*g", digits, value);
    if (is_double ? strtod(text, NULL) == value
                  : strtof(text, NULL) == (float)value)
      break;
  }
  return length;
}

static int writeNumber(char *text, size_t bytes, const lathe_value *tensor,
                       int64_t i) {
  if (tensor->dtype.code == kDLFloat && tensor->dtype.bits == 32)
    return writeReal(text, bytes,
                     ((const float *)(const void *)tensor->data)[i], false);
  if (tensor->dtype.code == kDLFloat)
    return writeReal(text, bytes,
                     ((const double *)(const void *)tensor->data)[i], true);
  if (tensor->dtype.code == kDLBool)
    return snprintf(text, bytes, tensor->data[i] ? "True" : "False");
  if (tensor->dtype.code == kDLUInt && tensor->dtype.bits == 64)
    return snprintf(text, bytes, "%llu",
                    (unsigned long long)lathe_rt_int_at(tensor, i));
  return snprintf(text, bytes, "%lld", (long long)lathe_rt_int_at(tensor, i));
}

/* inputs: a tensor of integers, bools, float or double. */
lathe_status lathe_rt_lib_string_from_number(lathe_rt_call *call) {
  const lathe_value *from = call->inputs[0];
  lathe_value *result = NULL;
  int64_t bytes = 0;
  /* Whatever the locale of the program around us says of decimal points. */
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
  if (!plain)
    return lathe_rt_call_no_memory(call);
  before = uselocale(plain);
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 1)
      result = lathe_rt_new_strings(&call->ctx->allocator, from->rank,
                                    from->shape, bytes);
    for (int64_t i = 0; (pass == 0 || result) && i < from->count; ++i) {
      char text[64];
      int length = writeNumber(text, sizeof(text), from, i);
      if (pass == 1)
        appendText(result, i, text, length);
      bytes += length;
    }
  }
  uselocale(before);
  freelocale(plain);
  return lathe_rt_give(call, 0, result);
}

/* Reads `text` as result element `i`; false if it is no number. */
static bool readNumber(const char *text, lathe_value *result, int64_t i) {
  char *end = NULL;
  if (result->dtype.code == kDLInt) {
    int64_t value = strtoll(text, &end, 10);
    while (isSpace(*end))
      ++end;
    if (end == text || *end) {
      double real = strtod(text, &end);
      if (!(real >= -0x1p63 && real < 0x1p63))
        return false;
      value = (int64_t)real;
    }
    ((int64_t *)(void *)result->data)[i] = value;
  } else if (result->dtype.bits == 32) {
    ((float *)(void *)result->data)[i] = strtof(text, &end);
  } else {
    ((double *)(void *)result->data)[i] = strtod(text, &end);
  }
  if (end == text)
    return false;
  while (isSpace(*end))
    ++end;
  return !*end;
}

/* inputs: strings; ints: whether the result is 0 int64, 1 float, 2 double. */
lathe_status lathe_rt_lib_string_to_number(lathe_rt_call *call) {
  static const DLDataType types[] = {
      {kDLInt, 64, 1}, {kDLFloat, 32, 1}, {kDLFloat, 64, 1}};
  const lathe_value *from = call->inputs[0];
  lathe_value *result;
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
  lathe_status status;
  if (!plain)
    return lathe_rt_call_no_memory(call);
  before = uselocale(plain);
  status = lathe_rt_result_tensor(call, 0, types[call->ints[0]], from->rank,
                                  from->shape, &result);
  for (int64_t i = 0; !status && i < from->count; ++i) {
    char text[512];
    int64_t length;
    const char *string = lathe_rt_text_at(from, i, &length);
    bool good =
        length < (int64_t)sizeof(text) && !memchr(string, 0, (size_t)length);
    if (good) {
      memcpy(text, string, (size_t)length);
      text[length] = 0;
      good = readNumber(text, result, i);
    }
    if (!good) {
      lathe_rt_text message = lathe_rt_call_error(call);
      lathe_rt_text_string(&message, "expected the text of a number, got '");
      if (length < (int64_t)sizeof(text)) {
        memcpy(text, string, (size_t)length);
        text[length] = 0;
        lathe_rt_text_string(&message, text);
      }
      lathe_rt_text_string(&message, "'");
      status = LATHE_FAILED;
    }
  }
  uselocale(before);
  freelocale(plain);
  return status;
}
