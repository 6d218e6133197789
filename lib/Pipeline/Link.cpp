// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linking in the process, with lld.

#include "lathe/Pipeline/Artifact.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <link.h>
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;
using namespace lathe;

/// Runs lld. It keeps global state: one link at a time, and none after one that
/// says it cannot run again.
static Error runLinker(ArrayRef<std::string> args) {
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return createStringError(
        "expected a usable linker: an earlier link failed");
  SmallVector<const char *> argv = {"ld.lld"};
  for (const std::string &arg : args)
    argv.push_back(arg.c_str());
  std::string out, err;
  raw_string_ostream outStream(out), errStream(err);
  lld::Result result =
      lld::lldMain(argv, outStream, errStream, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode != 0)
    return createStringError("link failed: " + StringRef(err).rtrim());
  return Error::success();
}

Error lathe::linkSharedLibrary(ArrayRef<std::string> objects,
                               ArrayRef<std::string> libraries,
                               StringRef exported, StringRef path) {
  SmallString<128> script;
  int fd;
  if (std::error_code code =
          sys::fs::createTemporaryFile("lathe-exports", "map", fd, script))
    return createFileError("exports", code);
  {
    raw_fd_ostream os(fd, /*shouldClose=*/true);
    os << "{ global: " << exported << "; local: *; };\n";
  }
  std::vector<std::string> args = {"-shared",
                                   "--gc-sections",
                                   "--hash-style=gnu",
                                   "-z",
                                   "now",
                                   "-z",
                                   "relro",
                                   "--build-id=none",
                                   "-z",
                                   "noexecstack",
                                   "--strip-debug",
                                   "--as-needed",
                                   "--version-script=" + script.str().str(),
                                   "-o",
                                   path.str()};
#ifndef LATHE_SANITIZE // The program that loads it brings the sanitizers.
  args.push_back("--no-undefined");
#endif
  args.insert(args.end(), objects.begin(), objects.end());
  args.insert(args.end(), libraries.begin(), libraries.end());
  Error error = runLinker(args);
  sys::fs::remove(script);
  return error;
}

Error lathe::linkObject(ArrayRef<std::string> objects, StringRef path) {
  std::vector<std::string> args = {"-r", "-o", path.str()};
  args.insert(args.end(), objects.begin(), objects.end());
  return runLinker(args);
}

std::string lathe::findCLibrary() {
  std::string found;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *data) {
        StringRef name = info->dlpi_name;
        size_t slash = name.rfind('/');
        if (name.substr(slash == StringRef::npos ? 0 : slash + 1)
                .starts_with("libc.so."))
          *static_cast<std::string *>(data) = name.str();
        return 0;
      },
      &found);
  return found;
}
