/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Asks the processor whether it has the features that a model was compiled
 * for, so that a wrong one is an error and not an illegal instruction. A
 * vector feature also needs the system to save its registers (XCR0).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { LEAF_1, LEAF_7_0, LEAF_7_1, LEAF_D_1, LEAF_EXT_1, LEAF_EXT_8, LEAVES };
enum { REG_A, REG_B, REG_C, REG_D };
/* Parts of XCR0. */
enum { STATE_NONE = 0, STATE_AVX = 0x6, STATE_512 = 0xe6, STATE_AMX = 0x60000 };

static const struct lathe_rt_feature {
  const char *name;
  uint8_t leaf, reg, bit;
  uint32_t state;
} featureTable[] = {
    {"sse3", LEAF_1, REG_C, 0, STATE_NONE},
    {"pclmul", LEAF_1, REG_C, 1, STATE_NONE},
    {"ssse3", LEAF_1, REG_C, 9, STATE_NONE},
    {"fma", LEAF_1, REG_C, 12, STATE_AVX},
    {"cx16", LEAF_1, REG_C, 13, STATE_NONE},
    {"sse4.1", LEAF_1, REG_C, 19, STATE_NONE},
    {"sse4.2", LEAF_1, REG_C, 20, STATE_NONE},
    {"crc32", LEAF_1, REG_C, 20, STATE_NONE},
    {"movbe", LEAF_1, REG_C, 22, STATE_NONE},
    {"popcnt", LEAF_1, REG_C, 23, STATE_NONE},
    {"aes", LEAF_1, REG_C, 25, STATE_NONE},
    {"xsave", LEAF_1, REG_C, 26, STATE_NONE},
    {"avx", LEAF_1, REG_C, 28, STATE_AVX},
    {"f16c", LEAF_1, REG_C, 29, STATE_AVX},
    {"rdrnd", LEAF_1, REG_C, 30, STATE_NONE},
    {"cx8", LEAF_1, REG_D, 8, STATE_NONE},
    {"cmov", LEAF_1, REG_D, 15, STATE_NONE},
    {"mmx", LEAF_1, REG_D, 23, STATE_NONE},
    {"fxsr", LEAF_1, REG_D, 24, STATE_NONE},
    {"sse", LEAF_1, REG_D, 25, STATE_NONE},
    {"sse2", LEAF_1, REG_D, 26, STATE_NONE},
    {"fsgsbase", LEAF_7_0, REG_B, 0, STATE_NONE},
    {"bmi", LEAF_7_0, REG_B, 3, STATE_NONE},
    {"avx2", LEAF_7_0, REG_B, 5, STATE_AVX},
    {"bmi2", LEAF_7_0, REG_B, 8, STATE_NONE},
    {"avx512f", LEAF_7_0, REG_B, 16, STATE_512},
    {"avx512dq", LEAF_7_0, REG_B, 17, STATE_512},
    {"rdseed", LEAF_7_0, REG_B, 18, STATE_NONE},
    {"adx", LEAF_7_0, REG_B, 19, STATE_NONE},
    {"avx512ifma", LEAF_7_0, REG_B, 21, STATE_512},
    {"clflushopt", LEAF_7_0, REG_B, 23, STATE_NONE},
    {"clwb", LEAF_7_0, REG_B, 24, STATE_NONE},
    {"avx512cd", LEAF_7_0, REG_B, 28, STATE_512},
    {"sha", LEAF_7_0, REG_B, 29, STATE_NONE},
    {"avx512bw", LEAF_7_0, REG_B, 30, STATE_512},
    {"avx512vl", LEAF_7_0, REG_B, 31, STATE_512},
    {"avx512vbmi", LEAF_7_0, REG_C, 1, STATE_512},
    {"avx512vbmi2", LEAF_7_0, REG_C, 6, STATE_512},
    {"gfni", LEAF_7_0, REG_C, 8, STATE_NONE},
    {"vaes", LEAF_7_0, REG_C, 9, STATE_AVX},
    {"vpclmulqdq", LEAF_7_0, REG_C, 10, STATE_AVX},
    {"avx512vnni", LEAF_7_0, REG_C, 11, STATE_512},
    {"avx512bitalg", LEAF_7_0, REG_C, 12, STATE_512},
    {"avx512vpopcntdq", LEAF_7_0, REG_C, 14, STATE_512},
    {"rdpid", LEAF_7_0, REG_C, 22, STATE_NONE},
    {"movdiri", LEAF_7_0, REG_C, 27, STATE_NONE},
    {"movdir64b", LEAF_7_0, REG_C, 28, STATE_NONE},
    {"avx512vp2intersect", LEAF_7_0, REG_D, 8, STATE_512},
    {"serialize", LEAF_7_0, REG_D, 14, STATE_NONE},
    {"amx-bf16", LEAF_7_0, REG_D, 22, STATE_AMX},
    {"avx512fp16", LEAF_7_0, REG_D, 23, STATE_512},
    {"amx-tile", LEAF_7_0, REG_D, 24, STATE_AMX},
    {"amx-int8", LEAF_7_0, REG_D, 25, STATE_AMX},
    {"avxvnni", LEAF_7_1, REG_A, 4, STATE_AVX},
    {"avx512bf16", LEAF_7_1, REG_A, 5, STATE_512},
    {"amx-fp16", LEAF_7_1, REG_A, 21, STATE_AMX},
    {"avxifma", LEAF_7_1, REG_A, 23, STATE_AVX},
    {"avxvnniint8", LEAF_7_1, REG_D, 4, STATE_AVX},
    {"avxneconvert", LEAF_7_1, REG_D, 5, STATE_AVX},
    {"avxvnniint16", LEAF_7_1, REG_D, 10, STATE_AVX},
    {"xsaveopt", LEAF_D_1, REG_A, 0, STATE_NONE},
    {"xsavec", LEAF_D_1, REG_A, 1, STATE_NONE},
    {"xsaves", LEAF_D_1, REG_A, 3, STATE_NONE},
    {"sahf", LEAF_EXT_1, REG_C, 0, STATE_NONE},
    {"lzcnt", LEAF_EXT_1, REG_C, 5, STATE_NONE},
    {"sse4a", LEAF_EXT_1, REG_C, 6, STATE_NONE},
    {"prfchw", LEAF_EXT_1, REG_C, 8, STATE_NONE},
    {"64bit", LEAF_EXT_1, REG_D, 29, STATE_NONE},
    {"clzero", LEAF_EXT_8, REG_B, 0, STATE_NONE},
    {"wbnoinvd", LEAF_EXT_8, REG_B, 9, STATE_NONE},
};

typedef struct lathe_rt_cpu {
  uint32_t leaves[LEAVES][4];
  uint64_t state;
} lathe_rt_cpu;

static void readCpu(lathe_rt_cpu *cpu) {
  static const struct {
    uint32_t leaf, subleaf;
  } wanted[LEAVES] = {{1, 0},   {7, 0},          {7, 1},
                      {0xd, 1}, {0x80000001, 0}, {0x80000008, 0}};
  memset(cpu, 0, sizeof(*cpu));
  for (int i = 0; i < LEAVES; ++i) {
    uint32_t *r = cpu->leaves[i];
    __get_cpuid_count(wanted[i].leaf, wanted[i].subleaf, &r[0], &r[1], &r[2],
                      &r[3]);
  }
  if (cpu->leaves[LEAF_1][REG_C] >> 27 & 1) { /* OSXSAVE */
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    cpu->state = (uint64_t)high << 32 | low;
  }
}

/* Linux gives a process the tile registers only when it asks. */
static bool requestTiles(void) {
#ifdef __linux__
  enum { ARCH_REQ_PERMISSION = 0x1023, TILE_DATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_PERMISSION, TILE_DATA) == 0;
#else
  return true;
#endif
}

static bool cpuHas(const lathe_rt_cpu *cpu, const char *name, size_t length) {
  for (size_t i = 0; i < sizeof(featureTable) / sizeof(featureTable[0]); ++i) {
    const struct lathe_rt_feature *f = &featureTable[i];
    if (strlen(f->name) == length && !memcmp(f->name, name, length))
      return (cpu->leaves[f->leaf][f->reg] >> f->bit & 1) &&
             (cpu->state & f->state) == f->state &&
             (f->state != STATE_AMX || requestTiles());
  }
  return false;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

static const struct lathe_rt_feature {
  const char *name;
  uint8_t word, bit; /* AT_HWCAP or AT_HWCAP2 */
} featureTable[] = {
    {"fp-armv8", 0, 0}, {"neon", 0, 1},     {"aes", 0, 3},      {"sha2", 0, 6},
    {"crc", 0, 7},      {"lse", 0, 8},      {"fullfp16", 0, 9}, {"rdm", 0, 12},
    {"dotprod", 0, 20}, {"fp16fml", 0, 23}, {"sve", 0, 22},     {"sve2", 1, 1},
    {"i8mm", 1, 13},    {"bf16", 1, 14},
};

typedef struct lathe_rt_cpu {
  uint64_t words[2];
} lathe_rt_cpu;

static void readCpu(lathe_rt_cpu *cpu) {
  cpu->words[0] = getauxval(AT_HWCAP);
  cpu->words[1] = getauxval(AT_HWCAP2);
}

static bool cpuHas(const lathe_rt_cpu *cpu, const char *name, size_t length) {
  for (size_t i = 0; i < sizeof(featureTable) / sizeof(featureTable[0]); ++i) {
    const struct lathe_rt_feature *f = &featureTable[i];
    if (strlen(f->name) == length && !memcmp(f->name, name, length))
      return cpu->words[f->word] >> f->bit & 1;
  }
  return false;
}

#else

typedef struct lathe_rt_cpu {
  int unused;
} lathe_rt_cpu;

static void readCpu(lathe_rt_cpu *cpu) { cpu->unused = 0; }

static bool cpuHas(const lathe_rt_cpu *cpu, const char *name, size_t length) {
  (void)cpu, (void)name, (void)length;
  return false;
}
#endif

bool lathe_rt_has_features(const char *features, lathe_rt_text *missing) {
  lathe_rt_cpu cpu;
  bool all = true;
  if (!features || !*features)
    return true;
  readCpu(&cpu);
  while (*features) {
    size_t length = strcspn(features, ",");
    const char *name = features;
    size_t name_length = length;
    if (length && *name == '+')
      ++name, --name_length;
    /* "-name" says that the code does not use it. */
    if (name_length && *name != '-' && !cpuHas(&cpu, name, name_length)) {
      if (!all)
        lathe_rt_text_string(missing, ", ");
      for (size_t i = 0; i < name_length; ++i) {
        char one[2] = {name[i], 0};
        lathe_rt_text_string(missing, one);
      }
      all = false;
    }
    features += length;
    features += *features == ',';
  }
  return all;
}
