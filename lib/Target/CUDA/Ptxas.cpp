// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code ahead of time, where NVIDIA's assembler happens to be installed.
// Without it the driver compiles the PTX when a model is loaded.

#include "lathe/Target/CUDA/CUDA.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

SmallVector<char, 0> lathe::cuda::assemble(StringRef ptx, const Chip &chip) {
  ErrorOr<std::string> program = sys::findProgramByName("ptxas");
  if (!program)
    return {};
  SmallString<128> text, code;
  int file;
  if (sys::fs::createTemporaryFile("lathe", "ptx", file, text))
    return {};
  FileRemover removeText(text);
  {
    raw_fd_ostream os(file, /*shouldClose=*/true);
    os << ptx;
    if (os.has_error()) {
      os.clear_error();
      return {};
    }
  }
  if (sys::fs::createTemporaryFile("lathe", "cubin", code))
    return {};
  FileRemover removeCode(code);
  std::string arch = "-arch=" + chip.name;
  std::optional<StringRef> silent[] = {StringRef(), StringRef(), StringRef()};
  if (sys::ExecuteAndWait(*program, {*program, arch, "-o", code, text},
                          std::nullopt, silent) != 0)
    return {};
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(code);
  if (!buffer)
    return {};
  StringRef bytes = (*buffer)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}

std::string lathe::cuda::getAssembler() {
  ErrorOr<std::string> program = sys::findProgramByName("ptxas");
  sys::fs::file_status status;
  if (!program || sys::fs::status(*program, status))
    return "";
  return formatv("{0} {1} {2}", *program, status.getSize(),
                 status.getLastModificationTime().time_since_epoch().count())
      .str();
}
