/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * How many threads a context uses when nobody says: what the process may use,
 * not what the machine has. System calls rather than libc's wrappers, whose
 * symbol versions differ between libcs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reads the head of a small file; returns its length, terminated. */
static size_t readHead(const char *path, char *data, size_t bytes) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  if (file < 0)
    return 0;
  while (length + 1 < bytes) {
    ssize_t got = read(file, data + length, bytes - 1 - length);
    if (got <= 0)
      break;
    length += (size_t)got;
  }
  close(file);
  data[length] = 0;
  return length;
}

static bool parseNumber(const char **text, int64_t *value) {
  const char *at = *text;
  int64_t result = 0;
  while (*at >= '0' && *at <= '9') {
    if (result > INT64_MAX / 10 - 1)
      return false;
    result = result * 10 + (*at++ - '0');
  }
  if (at == *text)
    return false;
  *text = at;
  *value = result;
  return true;
}

/* Processors that `quota` microseconds in each `period` amount to. */
static int64_t quotaThreads(int64_t quota, int64_t period) {
  return quota <= 0 || period <= 0 ? INT32_MAX : (quota + period - 1) / period;
}

/* The limit that one control group sets, in version 2's file or version 1's. */
static int64_t groupLimit(const char *folder) {
  char path[512], data[64];
  lathe_rt_text text;
  int64_t quota, period;
  const char *at = data;
  lathe_rt_text_begin(&text, path, sizeof(path));
  lathe_rt_text_string(&text, folder);
  lathe_rt_text_string(&text, "/cpu.max");
  if (readHead(path, data, sizeof(data))) {
    if (parseNumber(&at, &quota) && *at++ == ' ' && parseNumber(&at, &period))
      return quotaThreads(quota, period);
    return INT32_MAX; /* "max" */
  }
  lathe_rt_text_begin(&text, path, sizeof(path));
  lathe_rt_text_string(&text, folder);
  lathe_rt_text_string(&text, "/cpu.cfs_quota_us");
  if (!readHead(path, data, sizeof(data)) || !parseNumber(&at, &quota))
    return INT32_MAX;
  lathe_rt_text_begin(&text, path, sizeof(path));
  lathe_rt_text_string(&text, folder);
  lathe_rt_text_string(&text, "/cpu.cfs_period_us");
  at = data;
  if (!readHead(path, data, sizeof(data)) || !parseNumber(&at, &period))
    return INT32_MAX;
  return quotaThreads(quota, period);
}

/* The smallest limit of a control group and of those that contain it. Inside
 * a container the path may not exist; its root then holds the limit. */
static int64_t groupChainLimit(const char *mount, const char *group,
                               size_t length) {
  char path[384];
  lathe_rt_text text;
  size_t root;
  int64_t limit = INT32_MAX;
  lathe_rt_text_begin(&text, path, sizeof(path));
  lathe_rt_text_string(&text, mount);
  root = text.length;
  if (root + length + 1 >= sizeof(path))
    length = 0;
  memcpy(path + root, group, length);
  length += root;
  for (;;) {
    int64_t here;
    path[length] = 0;
    here = groupLimit(path);
    limit = here < limit ? here : limit;
    if (length <= root)
      return limit;
    while (length > root && path[length - 1] != '/')
      --length;
    if (length > root)
      --length;
  }
}

static int64_t cgroupThreads(void) {
  char data[4096];
  int64_t limit = INT32_MAX;
  if (!readHead("/proc/self/cgroup", data, sizeof(data)))
    return limit;
  /* Lines are "0::/group" (version 2) and "4:cpu,cpuacct:/group". */
  for (const char *line = data; *line;) {
    size_t length = strcspn(line, "\n");
    const char *first = memchr(line, ':', length);
    const char *second =
        first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line))
              : NULL;
    if (second) {
      const char *group = second + 1;
      size_t group_length = length - (size_t)(group - line);
      const char *mount = NULL;
      if (second == first + 1)
        mount = "/sys/fs/cgroup";
      else if (!strncmp(first + 1, "cpu,", 4) || !strncmp(first + 1, "cpu:", 4))
        mount = "/sys/fs/cgroup/cpu";
      if (mount) {
        int64_t here = groupChainLimit(mount, group, group_length);
        limit = here < limit ? here : limit;
      }
    }
    line += length;
    line += *line == '\n';
  }
  return limit;
}

static int64_t affinityThreads(void) {
#ifdef SYS_sched_getaffinity
  unsigned long mask[128]; /* 8192 processors */
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
  int64_t count = 0;
  for (long i = 0; i < bytes / (long)sizeof(mask[0]); ++i)
    for (unsigned long word = mask[i]; word; word &= word - 1)
      ++count;
  if (count)
    return count;
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? online : 1;
}

int32_t lathe_rt_default_threads(void) {
  const char *asked = getenv("LATHE_NUM_THREADS");
  int64_t count, limit;
  if (asked && parseNumber(&asked, &count) && !*asked && count > 0)
    return (int32_t)(count < 1024 ? count : 1024);
  count = affinityThreads();
  limit = cgroupThreads();
  count = limit < count ? limit : count;
  return (int32_t)(count < 1 ? 1 : count);
}
