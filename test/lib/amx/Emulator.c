/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * AMX for programs on processors without it, by LD_PRELOAD: a handler of
 * SIGILL decodes and computes the instructions of AMX-TILE, AMX-INT8 and
 * AMX-BF16, as "Intel 64 and IA-32 Architectures Software Developer's Manual",
 * volume 2, says. What a processor would fault at ends the program with a
 * message. On processors that have AMX the library only asks the system for
 * the registers.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <immintrin.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { NUM_TILES = 8, MAX_ROWS = 16, ROW_BYTES = 64, CONFIG_BYTES = 64 };

/* The operand of LDTILECFG, of palette 1. */
typedef struct {
  uint8_t palette, startRow, reserved[14];
  uint16_t colsb[16];
  uint8_t rows[16];
} TileConfig;

typedef union {
  uint8_t bytes[ROW_BYTES];
  int8_t signedBytes[ROW_BYTES];
  uint16_t halves[ROW_BYTES / 2];
  int32_t words[ROW_BYTES / 4];
  float floats[ROW_BYTES / 4];
} TileRow;

static __thread struct {
  TileConfig config;
  TileRow rows[NUM_TILES][MAX_ROWS];
} state;

static _Noreturn void fault(const char *instruction, const char *reason) {
  const char *parts[] = {"amx: ", instruction, ": ", reason, "\n"};
  for (int i = 0; i < 5; ++i)
    if (write(2, parts[i], strlen(parts[i])) < 0)
      break;
  _exit(132);
}

/* Decoding ----------------------------------------------------------------- */

typedef struct {
  uint8_t opcode, prefix; /* prefix: VEX.pp */
  unsigned reg, rm, vvvv;
  bool isMemory;
  uint64_t base;   /* Of memory: the address without the index. */
  uint64_t stride; /* The index, scaled. */
  bool hasSib;
  unsigned length;
} Instruction;

static uint64_t readRegister(const ucontext_t *context, unsigned number) {
  static const int places[16] = {
      REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t)context->uc_mcontext.gregs[places[number]];
}

static int32_t readWord(const uint8_t *at) {
  int32_t word;
  memcpy(&word, at, sizeof(word));
  return word;
}

/* VEX.128.map2.W0 with a ModRM byte. */
static bool decode(const uint8_t *code, const ucontext_t *context,
                   Instruction *in) {
  if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || (code[2] & 0x84) != 0)
    return false;
  unsigned r = !(code[1] & 0x80), x = !(code[1] & 0x40), b = !(code[1] & 0x20);
  memset(in, 0, sizeof(*in));
  in->prefix = code[2] & 3;
  in->vvvv = ~(code[2] >> 3) & 15;
  in->opcode = code[3];
  unsigned modrm = code[4], mod = modrm >> 6;
  in->reg = (modrm >> 3 & 7) | r << 3;
  in->rm = (modrm & 7) | b << 3;
  in->length = 5;
  if (mod == 3)
    return true;
  in->isMemory = true;
  bool relative = false;
  if ((modrm & 7) == 4) {
    unsigned sib = code[in->length++];
    unsigned index = (sib >> 3 & 7) | x << 3, base = (sib & 7) | b << 3;
    in->hasSib = true;
    if (index != 4)
      in->stride = readRegister(context, index) << (sib >> 6);
    if ((sib & 7) == 5 && mod == 0) {
      in->base = (int64_t)readWord(code + in->length);
      in->length += 4;
    } else {
      in->base = readRegister(context, base);
    }
  } else if ((modrm & 7) == 5 && mod == 0) {
    relative = true;
    in->base = (int64_t)readWord(code + in->length);
    in->length += 4;
  } else {
    in->base = readRegister(context, in->rm);
  }
  if (mod == 1) {
    in->base += (int64_t)(int8_t)code[in->length++];
  } else if (mod == 2) {
    in->base += (int64_t)readWord(code + in->length);
    in->length += 4;
  }
  if (relative)
    in->base += (uint64_t)(uintptr_t)code + in->length;
  return true;
}

/* Configuration ------------------------------------------------------------ */

static void loadConfig(const Instruction *in) {
  TileConfig config;
  memcpy(&config, (const void *)(uintptr_t)(in->base + in->stride),
         sizeof(config));
  memset(&state, 0, sizeof(state));
  if (config.palette == 0)
    return;
  if (config.palette != 1)
    fault("ldtilecfg", "expected palette 1");
  for (int i = 0; i < 14; ++i)
    if (config.reserved[i])
      fault("ldtilecfg", "expected reserved bytes to be zero");
  for (int t = 0; t < 16; ++t) {
    bool exists = t < NUM_TILES;
    if (config.colsb[t] > (exists ? ROW_BYTES : 0) ||
        config.rows[t] > (exists ? MAX_ROWS : 0))
      fault("ldtilecfg", "expected up to 8 tiles of up to 16 rows of 64 bytes");
    if (!config.colsb[t] != !config.rows[t])
      fault("ldtilecfg", "expected both rows and bytes, or none of them");
  }
  if (config.startRow)
    fault("ldtilecfg", "not emulated: a start row");
  state.config = config;
}

static void checkTile(const char *name, unsigned tile) {
  if (tile >= NUM_TILES)
    fault(name, "expected one of 8 tiles");
  if (!state.config.palette || !state.config.rows[tile])
    fault(name, "expected a tile that is configured");
}

/* Memory ------------------------------------------------------------------- */

static void loadTile(const Instruction *in) {
  checkTile("tileloadd", in->reg);
  TileRow *rows = state.rows[in->reg];
  memset(rows, 0, sizeof(state.rows[0]));
  for (int i = 0; i < state.config.rows[in->reg]; ++i)
    memcpy(rows[i].bytes,
           (const void *)(uintptr_t)(in->base + (uint64_t)i * in->stride),
           state.config.colsb[in->reg]);
}

static void storeTile(const Instruction *in) {
  checkTile("tilestored", in->reg);
  for (int i = 0; i < state.config.rows[in->reg]; ++i)
    memcpy((void *)(uintptr_t)(in->base + (uint64_t)i * in->stride),
           state.rows[in->reg][i].bytes, state.config.colsb[in->reg]);
}

/* Products ----------------------------------------------------------------- */

/* dest := reg, left := rm, right := vvvv; each of its own shape. */
static void checkProduct(const char *name, const Instruction *in) {
  const TileConfig *c = &state.config;
  checkTile(name, in->reg);
  checkTile(name, in->rm);
  checkTile(name, in->vvvv);
  if (in->reg == in->rm || in->reg == in->vvvv || in->rm == in->vvvv)
    fault(name, "expected three different tiles");
  if (c->colsb[in->reg] % 4 || c->colsb[in->rm] % 4 || c->colsb[in->vvvv] % 4)
    fault(name, "expected rows of whole words");
  if (c->rows[in->rm] != c->rows[in->reg] ||
      c->colsb[in->rm] / 4 != c->rows[in->vvvv] ||
      c->colsb[in->vvvv] != c->colsb[in->reg])
    fault(name, "expected shapes that fit each other");
}

static void multiplyBytes(const Instruction *in, bool leftSigned,
                          bool rightSigned) {
  checkProduct("tdpb??d", in);
  int rows = state.config.rows[in->reg], words = state.config.colsb[in->rm] / 4,
      columns = state.config.colsb[in->reg] / 4;
  for (int m = 0; m < rows; ++m) {
    TileRow *dest = &state.rows[in->reg][m];
    const TileRow *left = &state.rows[in->rm][m];
    for (int k = 0; k < words; ++k) {
      const TileRow *right = &state.rows[in->vvvv][k];
      for (int n = 0; n < columns; ++n) {
        uint32_t sum = (uint32_t)dest->words[n];
        for (int i = 0; i < 4; ++i) {
          int l = leftSigned ? left->signedBytes[4 * k + i]
                             : left->bytes[4 * k + i];
          int r = rightSigned ? right->signedBytes[4 * n + i]
                              : right->bytes[4 * n + i];
          sum += (uint32_t)(l * r);
        }
        dest->words[n] = (int32_t)sum;
      }
    }
  }
}

static float widen(uint16_t half) {
  uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* Even and odd elements are summed up apart, in order, by fused operations;
 * both sums are added, and then to what is there. */
__attribute__((noinline, target("fma"))) static void
sumFloats(TileRow *dest, const TileRow *left, const TileRow *rights, int words,
          int columns) {
  float sums[ROW_BYTES / 2] = {0};
  for (int k = 0; k < words; ++k)
    for (int n = 0; n < columns; ++n)
      for (int i = 0; i < 2; ++i)
        sums[2 * n + i] =
            __builtin_fmaf(widen(left->halves[2 * k + i]),
                           widen(rights[k].halves[2 * n + i]), sums[2 * n + i]);
  for (int n = 0; n < columns; ++n) {
    float both = sums[2 * n] + sums[2 * n + 1];
    dest->floats[n] = dest->floats[n] + both;
  }
}

static void multiplyFloats(const Instruction *in) {
  checkProduct("tdpbf16ps", in);
  /* To nearest; subnormal numbers are zero, both ways; nothing traps. */
  unsigned before = _mm_getcsr();
  _mm_setcsr(0x9fc0);
  for (int m = 0; m < state.config.rows[in->reg]; ++m)
    sumFloats(&state.rows[in->reg][m], &state.rows[in->rm][m],
              state.rows[in->vvvv], state.config.colsb[in->rm] / 4,
              state.config.colsb[in->reg] / 4);
  _mm_setcsr(before);
}

/* Dispatch ----------------------------------------------------------------- */

enum { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 };

static bool execute(const Instruction *in) {
  switch (in->opcode) {
  case 0x49:
    if (in->isMemory && in->reg == 0 && in->prefix == PREFIX_NONE)
      loadConfig(in);
    else if (in->isMemory && in->reg == 0 && in->prefix == PREFIX_66)
      memcpy((void *)(uintptr_t)(in->base + in->stride), &state.config,
             CONFIG_BYTES);
    else if (!in->isMemory && in->prefix == PREFIX_NONE && in->reg == 0 &&
             in->rm == 0)
      memset(&state, 0, sizeof(state));
    else if (!in->isMemory && in->prefix == PREFIX_F2 && in->rm == 0) {
      checkTile("tilezero", in->reg);
      memset(state.rows[in->reg], 0, sizeof(state.rows[0]));
    } else
      return false;
    return true;
  case 0x4b:
    if (!in->hasSib || in->prefix == PREFIX_NONE)
      return false;
    if (in->prefix == PREFIX_F3)
      storeTile(in);
    else
      loadTile(in);
    return true;
  case 0x5c:
    if (in->isMemory || in->prefix != PREFIX_F3)
      return false;
    multiplyFloats(in);
    return true;
  case 0x5e:
    if (in->isMemory)
      return false;
    multiplyBytes(in, in->prefix == PREFIX_F2 || in->prefix == PREFIX_F3,
                  in->prefix == PREFIX_F2 || in->prefix == PREFIX_66);
    return true;
  default:
    return false;
  }
}

static void handle(int signal, siginfo_t *info, void *user) {
  (void)info;
  ucontext_t *context = user;
  Instruction in;
  const uint8_t *code =
      (const uint8_t *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  if (signal != SIGILL || !decode(code, context, &in) || !execute(&in))
    fault("sigill", "an instruction that is not emulated");
  context->uc_mcontext.gregs[REG_RIP] += in.length;
}

typedef int Sigaction(int, const struct sigaction *, struct sigaction *);
typedef int Sigmask(int, const sigset_t *, sigset_t *);
static Sigaction *nextSigaction;
static Sigmask *nextSigmask;
static bool emulates;

static void findNext(void) {
  void *symbol = dlsym(RTLD_NEXT, "sigaction");
  memcpy(&nextSigaction, &symbol, sizeof(symbol));
  symbol = dlsym(RTLD_NEXT, "pthread_sigmask");
  memcpy(&nextSigmask, &symbol, sizeof(symbol));
}

/* Programs may not take the handler away, nor threads block the signal. */
int sigaction(int number, const struct sigaction *action,
              struct sigaction *old) {
  if (!nextSigaction)
    findNext();
  return nextSigaction(number, number == SIGILL && emulates ? NULL : action,
                       old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  sigset_t others;
  if (!nextSigmask)
    findNext();
  if (set && emulates && how != SIG_UNBLOCK) {
    others = *set;
    sigdelset(&others, SIGILL);
    set = &others;
  }
  return nextSigmask(how, set, old);
}

__attribute__((constructor)) static void start(void) {
  enum { ARCH_REQ_PERMISSION = 0x1023, TILE_DATA = 18 };
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) &&
      syscall(SYS_arch_prctl, ARCH_REQ_PERMISSION, TILE_DATA) == 0)
    return;
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGILL, &action, NULL);
  emulates = true;
}
