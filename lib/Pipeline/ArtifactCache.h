// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Artifacts kept in a folder, under a hash of all that goes into them: the
// model, the files it names, the options, the machine where they ask for it,
// and the compiler itself. Files are laid out so that LLVM's pruneCache keeps
// the folder small:
//
//   llvmcache-MODEL          the files of external data that the model names
//   llvmcache-ARTIFACT       the artifact's files, their sizes and hashes
//   llvmcache-ARTIFACT.ROLE  one of these files
//
// MODEL hashes all but the external data, ARTIFACT that too. An entry that does
// not hold what it says is as good as none.

#ifndef LATHE_LIB_PIPELINE_ARTIFACTCACHE_H
#define LATHE_LIB_PIPELINE_ARTIFACTCACHE_H

#include "lathe/Target/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lathe {
struct CompileOptions;

class ArtifactCache {
public:
  using Targets = llvm::ArrayRef<const TargetInterface *>;

  /// A file of an artifact; `role` is unlike the others' and fits into a name.
  struct File {
    std::string role;
    std::unique_ptr<llvm::MemoryBuffer> content;
  };
  struct NewFile {
    std::string role, path;
  };

  /// The cache that `options` name, for a compilation to symbols that begin
  /// with `prefix`. Hashes the model.
  ArtifactCache(const CompileOptions &options, Targets targets,
                llvm::StringRef prefix);

  /// The artifact's files, or nothing where they are not all there.
  std::optional<std::vector<File>> find() const;

  /// Keeps an artifact that was made of the model and of the external data in
  /// `externalFiles`, unless one of them has changed meanwhile; then deletes
  /// what is old.
  llvm::Error store(llvm::ArrayRef<NewFile> files,
                    llvm::ArrayRef<std::string> externalFiles) const;

private:
  std::optional<std::string> hashModel() const;
  std::optional<std::string>
  hashArtifact(llvm::ArrayRef<std::string> externalFiles) const;
  std::string getPath(llvm::StringRef key, llvm::StringRef role = "") const;

  const CompileOptions &options;
  std::string circumstances; ///< What goes into the artifact but files.
  std::optional<std::string> modelKey; ///< None: the model cannot be read.
};

/// What is wrong with `--cache-policy`; empty where nothing is.
std::string findWrongCachePolicy(llvm::StringRef policy);

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_ARTIFACTCACHE_H
