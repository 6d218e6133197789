/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * RegexFullMatch: runs a pattern that the compiler has turned into
 * instructions, in time that grows with the text and the instructions only: all
 * ways through the pattern are followed at once (Thompson, CACM 11(6), 1968).
 */
#include "Values.h"

#include <string.h>

/* An instruction is three numbers: what, a, b. */
enum {
  REGEX_MATCH = 0,
  REGEX_SPLIT = 1,  /* go to a and to b */
  REGEX_JUMP = 2,   /* go to a */
  REGEX_CLASS = 3,  /* one character of ranges [a, b) */
  REGEX_ASSERT = 4, /* what a says of this place */
};

/* Of REGEX_ASSERT. */
enum {
  REGEX_TEXT_BEGIN = 0,
  REGEX_TEXT_END = 1,
  REGEX_LINE_BEGIN = 2,
  REGEX_LINE_END = 3,
  REGEX_WORD_EDGE = 4,
  REGEX_NO_WORD_EDGE = 5,
};

typedef struct lathe_rt_regex {
  const int64_t *code;   /* three numbers per instruction */
  const int64_t *ranges; /* pairs of the first and the last character */
  int64_t size;
  /* Instructions to be looked at; `marks` tells in which step one was added
     last. */
  int64_t *now, *next, *stack, *marks;
  int64_t num_now, num_next, step;
  const unsigned char *text;
  int64_t length;
} lathe_rt_regex;

/* The character at `*at`; a byte that begins none counts as U+FFFD. */
static int64_t readCharacter(const unsigned char *text, int64_t length,
                             int64_t *at) {
  static const int64_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char first = text[*at];
  int bytes = first < 0x80             ? 1
              : (first & 0xE0) == 0xC0 ? 2
              : (first & 0xF0) == 0xE0 ? 3
              : (first & 0xF8) == 0xF0 ? 4
                                       : 0;
  int64_t c = bytes == 1 ? first : first & (0x7F >> bytes);
  bool good = bytes && *at + bytes <= length;
  for (int i = 1; i < bytes && good; ++i) {
    unsigned char more = text[*at + i];
    good = (more & 0xC0) == 0x80;
    c = c << 6 | (more & 0x3F);
  }
  good =
      good && c >= least[bytes] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  *at += good ? bytes : 1;
  return good ? c : 0xFFFD;
}

static bool isWordByte(const lathe_rt_regex *regex, int64_t at) {
  unsigned char c;
  if (at < 0 || at >= regex->length)
    return false;
  c = regex->text[at];
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || c == '_';
}

static bool holds(const lathe_rt_regex *regex, int64_t what, int64_t at) {
  switch (what) {
  case REGEX_TEXT_BEGIN:
    return at == 0;
  case REGEX_TEXT_END:
    return at == regex->length;
  case REGEX_LINE_BEGIN:
    return at == 0 || regex->text[at - 1] == '\n';
  case REGEX_LINE_END:
    return at == regex->length || regex->text[at] == '\n';
  case REGEX_WORD_EDGE:
    return isWordByte(regex, at - 1) != isWordByte(regex, at);
  default:
    return isWordByte(regex, at - 1) == isWordByte(regex, at);
  }
}

/* Adds what can be reached from instruction `from` without reading. */
static void follow(lathe_rt_regex *regex, int64_t from, int64_t at) {
  int64_t depth = 0;
  regex->stack[depth++] = from;
  while (depth) {
    int64_t i = regex->stack[--depth];
    const int64_t *code = regex->code + 3 * i;
    if (regex->marks[i] == regex->step)
      continue;
    regex->marks[i] = regex->step;
    if (code[0] == REGEX_SPLIT || code[0] == REGEX_JUMP) {
      if (code[0] == REGEX_SPLIT)
        regex->stack[depth++] = code[2];
      regex->stack[depth++] = code[1];
    } else if (code[0] == REGEX_ASSERT) {
      if (holds(regex, code[1], at))
        regex->stack[depth++] = i + 1;
    } else {
      regex->next[regex->num_next++] = i;
    }
  }
}

static bool isInClass(const lathe_rt_regex *regex, const int64_t *code,
                      int64_t c) {
  for (int64_t r = code[1]; r < code[2]; ++r)
    if (c >= regex->ranges[2 * r] && c <= regex->ranges[2 * r + 1])
      return true;
  return false;
}

static void advance(lathe_rt_regex *regex) {
  int64_t *other = regex->now;
  regex->now = regex->next;
  regex->num_now = regex->num_next;
  regex->next = other;
  regex->num_next = 0;
  ++regex->step;
}

static bool matches(lathe_rt_regex *regex) {
  int64_t at = 0;
  for (int64_t i = 0; i < regex->size; ++i)
    regex->marks[i] = -1;
  regex->step = 0;
  regex->num_next = 0;
  follow(regex, 0, 0);
  advance(regex);
  while (at < regex->length && regex->num_now) {
    int64_t c = readCharacter(regex->text, regex->length, &at);
    for (int64_t i = 0; i < regex->num_now; ++i) {
      const int64_t *code = regex->code + 3 * regex->now[i];
      if (code[0] == REGEX_CLASS && isInClass(regex, code, c))
        follow(regex, regex->now[i] + 1, at);
    }
    advance(regex);
  }
  for (int64_t i = 0; at == regex->length && i < regex->num_now; ++i)
    if (regex->code[3 * regex->now[i]] == REGEX_MATCH)
      return true;
  return false;
}

/* inputs: strings, instructions, ranges of characters. */
lathe_status lathe_rt_lib_regex_full_match(lathe_rt_call *call) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  const lathe_value *from = call->inputs[0];
  DLDataType type = {kDLBool, 8, 1};
  lathe_value *result;
  int64_t size = call->inputs[1]->count / 3;
  lathe_status status =
      lathe_rt_result_tensor(call, 0, type, from->rank, from->shape, &result);
  lathe_rt_regex regex = {
      .code = (const int64_t *)(const void *)call->inputs[1]->data,
      .ranges = (const int64_t *)(const void *)call->inputs[2]->data,
      .size = size};
  int64_t *memory;
  if (status)
    return status;
  /* A stack grows by one at each instruction, which is followed once a step. */
  memory = allocator->allocate(allocator->user,
                               sizeof(int64_t) * (size_t)(5 * size + 2),
                               LATHE_RT_ALIGNMENT);
  if (!memory)
    return lathe_rt_call_no_memory(call);
  regex.marks = memory;
  regex.now = memory + size;
  regex.next = memory + 2 * size;
  regex.stack = memory + 3 * size;
  for (int64_t i = 0; i < from->count; ++i) {
    regex.text =
        (const unsigned char *)lathe_rt_text_at(from, i, &regex.length);
    result->data[i] = matches(&regex);
  }
  allocator->release(allocator->user, memory);
  return LATHE_OK;
}
